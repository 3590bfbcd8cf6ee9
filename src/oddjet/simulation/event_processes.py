"""Pythia settings of the processes of whole events, and how the rare lepton of each is found.

The processes are those of the CMS anomaly detection challenge ADC 2021 (arXiv:2107.02157): what a single-lepton trigger
sees of the Standard Model, and four signals. Every event is asked for a lepton above 23 GeV, which few events of most
processes have; `Splitting` says what is done about it, and docs/event-inputs.md why it biases nothing that matters.
"""

from __future__ import annotations

from dataclasses import dataclass

from oddjet.simulation.settings import SimulationSettings

TAU = 15
LEPTONIC = "11 13 15"
# Hadrons that decay by the weak decay of their b quark; the mesons with a positive code hold an anti-b quark.
B_MESONS = (511, 521, 531, 541)
B_BARYONS = (5122, 5132, 5232, 5332)


@dataclass(frozen=True)
class Splitting:
    """How events without a prompt lepton are treated.

    Parameters
    ----------
    decays
        PDG codes whose decays are tried several times on one and the same event.
    tries
        How often.
    survive
        Probability with which an event whose leptons can only come from those decays is looked at at all.
    """

    decays: tuple[int, ...] = (TAU,)
    tries: int = 1
    survive: float = 1.0


@dataclass(frozen=True)
class EventProcess:
    """A process: its lines for Pythia, what leptons come from, and its splitting.

    Parameters
    ----------
    lines
        `key = value` a line.
    splitting
        See there.
    quark_pt_min
        Instead of leptons and taus, bottom quarks above this pT (GeV) make an event promising.
    """

    lines: tuple[str, ...]
    splitting: Splitting = Splitting()
    quark_pt_min: float | None = None


def _one_side_semileptonic() -> tuple[str, ...]:
    """Let hadrons with an anti-b quark decay to an electron or a muon, and those with a b quark as they please."""
    # onMode 2 and 3: on for the particle, or for the antiparticle, alone.
    return tuple(
        line
        for hadrons, others in ((B_MESONS, 3), (B_BARYONS, 2))
        for hadron in hadrons
        for line in (f"{hadron}:onMode = {others}", f"{hadron}:onIfAny = 11 13")
    )


EVENT_PROCESSES: dict[str, EventProcess] = {
    "w_lnu": EventProcess(
        ("WeakSingleBoson:ffbar2W = on", "24:onMode = off", f"24:onIfAny = {LEPTONIC}"),
        Splitting(tries=4, survive=1 / 4),
    ),
    "z_ll": EventProcess(
        ("WeakSingleBoson:ffbar2gmZ = on", "23:mMin = 50", "23:onMode = off", f"23:onIfAny = {LEPTONIC}"),
        Splitting(tries=4, survive=1 / 4),
    ),
    "top_pairs": EventProcess(
        ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "6:mMin = 152", "6:mMax = 194"),
        Splitting(tries=4, survive=1 / 4),
    ),
    "qcd_lepton": EventProcess(
        ("HardQCD:hardbbbar = on", "PhaseSpace:pTHatMin = 20", *_one_side_semileptonic()),
        Splitting(decays=B_MESONS + B_BARYONS, tries=60),
        quark_pt_min=30.0,
    ),
    "a_4l": EventProcess(
        (
            "HiggsSM:gg2H = on",
            "25:m0 = 50",
            "25:mMin = 49",
            "25:mMax = 51",
            "25:onMode = off",
            "25:onIfMatch = 23 23",
            "23:mMin = 1",
            "23:onMode = off",
            f"23:onIfAny = {LEPTONIC}",
        ),
        Splitting(tries=4, survive=1 / 4),
    ),
    "h0_tautau": EventProcess(
        (
            "HiggsSM:gg2H = on",
            "25:m0 = 60",
            "25:mMin = 59",
            "25:mMax = 61",
            "25:onMode = off",
            "25:onIfMatch = 15 15",
        ),
        Splitting(tries=6),
    ),
    "hpm_taunu": EventProcess(
        (
            "Higgs:useBSM = on",
            "HiggsBSM:bg2H+-t = on",
            "37:m0 = 60",
            "37:mMin = 59",
            "37:mMax = 61",
            "37:onMode = off",
            "37:onIfAny = 15",
        ),
        Splitting(tries=4, survive=1 / 4),
    ),
    "lq_taub": EventProcess(
        (
            "LeptoQuark:gg2LQLQbar = on",
            "LeptoQuark:qqbar2LQLQbar = on",
            "LeptoQuark:qg2LQl = on",
            "42:m0 = 80",
            "42:mMin = 70",
            "42:mMax = 90",
            "42:0:products = 5 15",
        ),
        Splitting(tries=3),
    ),
}


def event_pythia_settings(process: str, settings: SimulationSettings, seed: int) -> list[str]:
    """Give the lines that configure Pythia, in order; `process` is a key of `EVENT_PROCESSES`, `seed` the job's."""
    return [
        "Random:setSeed = on",
        f"Random:seed = {seed}",
        f"Beams:eCM = {settings.com_energy:.9g}",
        "ParticleDecays:limitTau0 = on",
        f"ParticleDecays:tau0Max = {settings.ctau_max:.9g}",
        f"PartonLevel:MPI = {'on' if settings.multiparton_interactions else 'off'}",
        *EVENT_PROCESSES[process].lines,
    ]
