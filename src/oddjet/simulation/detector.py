"""A parametric CMS-like detector and particle flow, in numpy.

Assumptions, from the CMS card of Delphes 3 (cards/delphes_card_CMS.tcl; arXiv:1307.6346) where nothing else is named:

- Tracks: charged particles within |eta| < 2.5 and pT > 0.4 GeV (our choice: softer ones curl up in the 3.8 T field).
  Efficiency for charged hadrons 0.95 / 0.85 above 1 GeV and 0.70 / 0.60 below, within / beyond |eta| = 1.5; for
  electrons and muons 0.98 (the card has 0.99 / 0.98 for muons). Relative pT resolution constant (+) slope pT
  (arXiv:1405.6569), log-normal; directions are exact, hadrons get the mass of the pion.
- Everything else (neutral particles, charged hadrons and electrons without a track) leaves its energy in cells: photons
  and electrons in the electromagnetic calorimeter (1 degree), hadrons in the hadron calorimeter (5 degrees), both 10
  degrees wide beyond |eta| = 3 and up to 5. Muons without a track and neutrinos leave nothing. The energy of a cell is
  smeared log-normally and kept above a threshold in energy and in significance; the candidate lies uniformly in the
  cell and is massless, as in CMS NanoAOD.
- Particle flow is perfect: energy that a tracked particle leaves in a calorimeter is neither counted twice nor taken
  from a neutral neighbour.
- Not simulated: bending in the magnetic field, displaced vertices, conversions, nuclear interactions, pile-up,
  misidentified particles, the trigger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oddjet.arrays import Bools, Floats, Ints
from oddjet.simulation.settings import Calorimeter, DetectorSettings

FORWARD_ETA = 3.0  # where the forward calorimeters begin
ETA_MAX = 5.0
FORWARD_PHI_CELLS = 36
BARREL_ETA = 1.5
ENDCAP_ETA = 2.5
SOFT_TRACK_PT = 1.0  # GeV: below it the efficiency is `efficiency_soft`

ELECTRON, MUON, PHOTON, PION, NEUTRAL_HADRON = 11, 13, 22, 211, 130
MASSES = {ELECTRON: 0.000511, MUON: 0.10566, PION: 0.13957}  # GeV


@dataclass(frozen=True)
class VisibleParticles:
    """Particles of several events as flat arrays of one length.

    Attributes
    ----------
    event
        Index of the event.
    pdg_id
        PDG code of the particle.
    charge
        Charge in units of the proton's.
    pt, eta, phi
        Transverse momentum in GeV, pseudorapidity, azimuth from -pi to pi.
    energy
        Energy in GeV.
    """

    event: Ints
    pdg_id: Ints
    charge: Ints
    pt: Floats
    eta: Floats
    phi: Floats
    energy: Floats

    def __getitem__(self, mask: Bools) -> VisibleParticles:
        return VisibleParticles(**{name: values[mask] for name, values in vars(self).items()})


@dataclass(frozen=True)
class Candidates:
    """Particle-flow candidates of several events as flat arrays, by event and falling pT; units as above."""

    event: Ints
    pdg_id: Ints
    charge: Ints
    pt: Floats
    eta: Floats
    phi: Floats
    mass: Floats


def reconstruct(particles: VisibleParticles, settings: DetectorSettings, generator: np.random.Generator) -> Candidates:
    """Turn stable, visible particles into particle-flow candidates.

    Parameters
    ----------
    particles
        Stable particles without neutrinos and other invisible ones, finite, pT > 0.
    settings
        Parameters of the detector.
    generator
        Source of all randomness of the detector.

    Returns
    -------
    Candidates
        With PDG codes +-211, +-11, +-13 (tracks), 22 and 130 (calorimeter cells).
    """
    tracked = has_track(particles, settings, generator)
    flavour = np.abs(particles.pdg_id)
    electromagnetic = np.isin(flavour, (ELECTRON, PHOTON))
    deposits = ~tracked & (flavour != MUON) & (np.abs(particles.eta) < ETA_MAX)
    parts = [
        tracks(particles[tracked], settings, generator),
        cells(particles[deposits & electromagnetic], settings.ecal, PHOTON, generator),
        cells(particles[deposits & ~electromagnetic], settings.hcal, NEUTRAL_HADRON, generator),
    ]
    merged = {name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])}
    order = np.lexsort((-merged["pt"], merged["event"]))
    return Candidates(**{name: values[order] for name, values in merged.items()})


def has_track(particles: VisibleParticles, settings: DetectorSettings, generator: np.random.Generator) -> Bools:
    """Draw which particles leave a track."""
    region, inside = _region(particles.eta, [region.eta_max for region in settings.tracker])
    efficiency = np.array([region.efficiency for region in settings.tracker])[region]
    soft = np.array([region.efficiency_soft for region in settings.tracker])[region]
    efficiency = np.where(particles.pt < SOFT_TRACK_PT, soft, efficiency)
    lepton = np.isin(np.abs(particles.pdg_id), (ELECTRON, MUON))
    efficiency = np.where(lepton, settings.lepton_efficiency, efficiency)
    possible = inside & (particles.charge != 0) & (particles.pt > settings.track_pt_min)
    return np.asarray(possible & (generator.random(len(particles.pt)) < efficiency))


def tracks(particles: VisibleParticles, settings: DetectorSettings, generator: np.random.Generator) -> Candidates:
    """Smear the transverse momenta of tracked particles and give them the masses that CMS assumes."""
    region, _ = _region(particles.eta, [region.eta_max for region in settings.tracker])
    constant = np.array([region.constant for region in settings.tracker])[region]
    slope = np.array([region.slope for region in settings.tracker])[region]
    flavour = np.abs(particles.pdg_id)
    kind = np.where(np.isin(flavour, (ELECTRON, MUON)), flavour, PION)
    mass = np.select([kind == code for code in MASSES], list(MASSES.values()))
    # Leptons of positive PDG code are negative, pions positive.
    sign = np.where(kind == PION, particles.charge, -particles.charge)
    return Candidates(
        event=particles.event,
        pdg_id=kind * sign,
        charge=particles.charge,
        pt=smear(particles.pt, np.hypot(constant, slope * particles.pt), generator),
        eta=particles.eta,
        phi=particles.phi,
        mass=mass,
    )


def cells(
    particles: VisibleParticles, calorimeter: Calorimeter, pdg_id: int, generator: np.random.Generator
) -> Candidates:
    """Sum the energies of particles in the cells of a calorimeter, smear them and apply the thresholds."""
    forward = np.abs(particles.eta) > FORWARD_ETA
    width = 2 * np.pi / np.where(forward, FORWARD_PHI_CELLS, calorimeter.phi_cells)
    eta_cell = np.floor(particles.eta / width).astype(np.int64)
    phi_cell = np.floor((particles.phi + np.pi) / width).astype(np.int64)
    # One integer a cell; within |eta| < 5 no index, in eta or phi, exceeds the number of cells around the beam.
    offset = max(calorimeter.phi_cells, FORWARD_PHI_CELLS)
    span = 2 * offset
    key = ((particles.event * 2 + forward) * span + eta_cell + offset) * span + phi_cell
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    deposited = np.bincount(inverse, weights=particles.energy, minlength=len(first)).astype(np.float64)
    width = width[first]
    eta = (eta_cell[first] + generator.random(len(first))) * width
    phi = (phi_cell[first] + generator.random(len(first))) * width - np.pi
    sigma = energy_resolution(deposited, eta, calorimeter, shape=pdg_id == PHOTON)
    energy = smear(deposited, sigma / deposited, generator)
    kept = (energy > calorimeter.energy_min) & (energy > calorimeter.significance_min * sigma)
    neutral = np.zeros(int(kept.sum()), dtype=np.int64)
    return Candidates(
        event=particles.event[first][kept],
        pdg_id=neutral + pdg_id,
        charge=neutral,
        pt=(energy / np.cosh(eta))[kept],
        eta=eta[kept],
        phi=np.where(phi >= np.pi, phi - 2 * np.pi, phi)[kept],
        mass=neutral.astype(np.float64),
    )


def energy_resolution(energy: Floats, eta: Floats, calorimeter: Calorimeter, *, shape: bool) -> Floats:
    """Give sigma(E) in GeV; with `shape` it grows with |eta| as the CMS crystals' does (arXiv:1306.2016)."""
    region, _ = _region(eta, [region.eta_max for region in calorimeter.regions])
    noise, stochastic, constant = (
        np.array([getattr(region, term) for region in calorimeter.regions])[region]
        for term in ("noise", "stochastic", "constant")
    )
    sigma = np.sqrt(noise**2 + stochastic**2 * energy + constant**2 * energy**2)
    if not shape:
        return np.asarray(sigma)
    distance = np.abs(eta)
    growth = np.select(
        [distance <= BARREL_ETA, distance <= ENDCAP_ETA], [1 + 0.64 * eta**2, 2.16 + 5.6 * (distance - 2) ** 2], 1.0
    )
    return np.asarray(sigma * growth)


def smear(values: Floats, relative: Floats, generator: np.random.Generator) -> Floats:
    """Draw from log-normal distributions with means `values` and relative standard deviations `relative`."""
    variance = np.log1p(relative**2)
    return np.asarray(values * np.exp(np.sqrt(variance) * generator.standard_normal(len(values)) - variance / 2))


def _region(eta: Floats, edges: list[float]) -> tuple[Ints, Bools]:
    """Give the index of each |eta|'s region (the last one beyond its end) and whether it lies in any."""
    index = np.searchsorted(edges, np.abs(eta))
    return np.minimum(index, len(edges) - 1), index < len(edges)
