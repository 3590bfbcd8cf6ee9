"""Pythia settings of each process: a table for the standard ones, a calculation for the dark sector.

The dark sector follows the conventions of CMS searches for semivisible jets (arXiv:2112.11125; the model is that of
Cohen, Lisanti, Lou and Mishra-Sharma, arXiv:1707.05326): two dark colours and flavours, pseudoscalar and vector dark
hadrons of one mass.
"""

from __future__ import annotations

import math

from oddjet.simulation.settings import HadronicW, Process, Qcd, SemivisibleJets, SimulationSettings, TopPairs

DARK_COLOURS = 2
DARK_FLAVOURS = 2
# One-loop coefficient of the dark coupling, in the convention of arXiv:1707.05326.
DARK_B0 = 11 / 6 * DARK_COLOURS - 2 / 6 * DARK_FLAVOURS
REFERENCE_SCALE = 1000.0  # GeV: where the dark coupling is quoted

DARK_QUARK = 4900101
# Pythia's dark mesons (flavour-diagonal, off-diagonal) and the stable particle that each kind becomes when invisible.
DARK_PSEUDOSCALARS, INVISIBLE_FROM_PSEUDOSCALAR = (4900111, 4900211), 51
DARK_VECTORS, INVISIBLE_FROM_VECTOR = (4900113, 4900213), 53
DARK_HADRONS = DARK_PSEUDOSCALARS + DARK_VECTORS
INVISIBLE_DARK = (INVISIBLE_FROM_PSEUDOSCALAR, INVISIBLE_FROM_VECTOR)

MEDIATOR = 4900001  # Pythia's Dv: carries down-quark flavour and dark colour
OTHER_MEDIATORS = range(4900002, 4900007)

# Quark: (MS-bar mass m(m) in GeV, lightest hadron in GeV). A dark hadron decays to the quarks whose two lightest
# hadrons fit into its mass; the quark mass alone would let a 10 GeV dark hadron try a pair of 5.3 GeV B mesons.
QUARKS = {1: (0.006, 0.140), 2: (0.003, 0.140), 3: (0.095, 0.494), 4: (1.25, 1.870), 5: (4.20, 5.280)}
# GeV, five flavours: alpha_s(m_Z) = 0.125 at one loop, as in Pythia's running masses.
LAMBDA_QCD = 91.188 * math.exp(-6 * math.pi / (23 * 0.125))

# Top quarks and W bosons stay within 15 widths of their masses (1.4 and 2.1 GeV at 173 and 80.4 GeV), the cut that
# CMS samples have from MadGraph: left free, 1 % of Pythia's high-pT top quarks weigh more than 216 GeV, up to 1400.
HARD_PROCESSES = {
    TopPairs: ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "6:mMin = 152", "6:mMax = 194"),
    Qcd: ("HardQCD:all = on",),
    HadronicW: (
        "WeakBosonAndParton:qqbar2Wg = on",
        "WeakBosonAndParton:qg2Wq = on",
        "24:mMin = 49",
        "24:mMax = 112",
        "24:onMode = off",
        "24:onIfAny = 1 2 3 4 5",
    ),
}


def pythia_settings(process: Process, settings: SimulationSettings, seed: int) -> list[str]:
    """Give the lines that configure Pythia, in order.

    Parameters
    ----------
    process
        What is produced.
    settings
        What all samples have in common.
    seed
        Seed of Pythia's random numbers, 1 to 900,000,000.

    Returns
    -------
    list of str
        One `key = value` a line; every one must be accepted by `Pythia.readString`. Numbers have 9 digits, so that the
        last bit of a machine's mathematics does not change the events.
    """
    onoff = "on" if settings.multiparton_interactions else "off"
    lines = [
        "Random:setSeed = on",
        f"Random:seed = {seed}",
        f"Beams:eCM = {settings.com_energy:.9g}",
        "ParticleDecays:limitTau0 = on",
        f"ParticleDecays:tau0Max = {settings.ctau_max:.9g}",
        f"PartonLevel:MPI = {onoff}",
    ]
    choice = process.root
    if isinstance(choice, SemivisibleJets):
        return lines + dark_sector_settings(choice)
    return [*lines, *HARD_PROCESSES[type(choice)], f"PhaseSpace:pTHatMin = {choice.pthat_min:.9g}"]


def dark_sector_settings(model: SemivisibleJets) -> list[str]:
    """Give Pythia's Hidden Valley settings of a semivisible-jet model.

    `HiddenValley:setLambda` is essential: without it Pythia 8.3 ignores Lambda, takes a coupling of 0.1 and makes
    fewer than half as many dark hadrons.
    """
    lambda_dark = confinement_scale(model)
    lines = [
        "HiddenValley:gg2DvDvbar = on",
        "HiddenValley:qqbar2DvDvbar = on",
        f"{MEDIATOR}:m0 = {model.m_phi:.9g}",
        f"{MEDIATOR}:mMin = {model.m_phi - 1:.9g}",
        f"{MEDIATOR}:mMax = {model.m_phi + 1:.9g}",
        f"{MEDIATOR}:mWidth = 0.01",
        *(f"{other}:m0 = 50000" for other in OTHER_MEDIATORS),
        f"{DARK_QUARK}:m0 = {model.m_dark / 2:.9g}",
        f"HiddenValley:Ngauge = {DARK_COLOURS}",
        f"HiddenValley:nFlav = {DARK_FLAVOURS}",
        "HiddenValley:spinFv = 0",
        "HiddenValley:FSR = on",
        "HiddenValley:fragment = on",
        "HiddenValley:alphaOrder = 1",
        "HiddenValley:setLambda = on",
        f"HiddenValley:Lambda = {lambda_dark:.9g}",
        f"HiddenValley:pTminFSR = {1.1 * lambda_dark:.9g}",
        "HiddenValley:probVector = 0.75",
    ]
    for invisible in INVISIBLE_DARK:
        lines += [f"{invisible}:m0 = 0", f"{invisible}:isResonance = false"]
    for hadrons, invisible, shares in (
        (DARK_PSEUDOSCALARS, INVISIBLE_FROM_PSEUDOSCALAR, mass_insertion_shares(model.m_dark)),
        (DARK_VECTORS, INVISIBLE_FROM_VECTOR, democratic_shares(model.m_dark)),
    ):
        for hadron in hadrons:
            lines += [
                f"{hadron}:m0 = {model.m_dark:.9g}",
                f"{hadron}:oneChannel = 1 {model.r_inv:.9g} 0 {invisible} -{invisible}",
            ]
            lines += [
                f"{hadron}:addChannel = 1 {(1 - model.r_inv) * share:.9g} 91 {quark} -{quark}"
                for quark, share in shares.items()
            ]
    return lines


def confinement_scale(model: SemivisibleJets) -> float:
    """Give Lambda in GeV: as set, or 3.2 m_dark^0.8 ('peak'), or from 0.5 or 1.5 times the coupling of 'peak'.

    The coupling at one loop is alpha(Q) = pi / (b0 ln(Q / Lambda)), arXiv:1707.05326.
    """
    if model.lambda_dark is not None:
        return model.lambda_dark
    peak = 3.2 * model.m_dark**0.8
    coupling = math.pi / (DARK_B0 * math.log(REFERENCE_SCALE / peak))
    factor = {"low": 0.5, "peak": 1.0, "high": 1.5}[model.alpha or "peak"]
    return REFERENCE_SCALE * math.exp(-math.pi / (DARK_B0 * factor * coupling))


def mass_insertion_shares(m_dark: float) -> dict[int, float]:
    """Give each quark's share of a dark pseudoscalar's visible decays, proportional to the running m_q(m_dark)^2.

    A pseudoscalar needs a helicity flip to decay to quarks, as the pion to leptons.
    """
    squares = {quark: running_mass(quark, m_dark) ** 2 for quark in open_quarks(m_dark)}
    total = sum(squares.values())
    return {quark: square / total for quark, square in squares.items()}


def democratic_shares(m_dark: float) -> dict[int, float]:
    """Give each quark's share of a dark vector's visible decays: all equal."""
    quarks = open_quarks(m_dark)
    return {quark: 1 / len(quarks) for quark in quarks}


def open_quarks(m_dark: float) -> list[int]:
    """Give the quarks that a dark hadron of mass m_dark (GeV) can decay to."""
    return [quark for quark, (_, hadron) in QUARKS.items() if 2 * hadron < m_dark]


def running_mass(quark: int, scale: float) -> float:
    """Give a quark's running mass in GeV at a scale in GeV: one loop, five flavours, as Pythia's `mRun`."""
    mass = QUARKS[quark][0]
    start = max(mass, 2.0) if quark <= 3 else mass  # light-quark masses are quoted at 2 GeV
    return float(mass * (math.log(start / LAMBDA_QCD) / math.log(scale / LAMBDA_QCD)) ** (12 / 23))
