"""The first jets of a file against fastjet: jets, constituents, N-subjettiness and soft drop, while a run goes on.

Our kernels are compiled on the machine where they run; tests have seen another one. What two right programs may do
differently are ties, which come from momenta that were stored with few digits: where fastjet itself gives another value
for the same particles in another order, there is nothing to compare.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import numpy as np

from oddjet.arrays import Bools, Floats
from oddjet.errors import JetError
from oddjet.io.candidates import CandidateRecord, Particles
from oddjet.jets.clustering import Jets, cartesian, cluster, trees
from oddjet.jets.grooming import soft_drop_mass
from oddjet.jets.njettiness import njettiness
from oddjet.jets.recombination import CAMBRIDGE_AACHEN, KT
from oddjet.jets.settings import FeatureSettings

LOGGER = logging.getLogger("oddjet")
Values = Mapping[str, Floats]

ORDERS = (1, 2, 3, 4)
# The two agree to 1e-9, and to 1e-6 where a minimum is searched for; masses near zero are rounding (GeV).
RELATIVE, ABSOLUTE, SMALL_MASS = 1e-4, 1e-6, 0.2


class FastjetCheck:
    """Compares the first jets of one file with fastjet's, chunk by chunk, and stops the run at a difference.

    Parameters
    ----------
    settings
        `check_jets` is the number of selected jets that are compared.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        self.settings = settings
        self.left = settings.check_jets

    def add(self, record: CandidateRecord, jets: Jets) -> None:
        """Compare those of a chunk's selected jets that are still wanted.

        Raises
        ------
        JetError
            Names the file, the event, the quantity and both values.
        """
        some = jets.where(np.arange(len(jets)) < self.left).uncorrected()
        self.left -= len(some)
        if len(some) and (self.settings.recluster or record.jets is None):
            _compare(record, some, _values(some, some), lambda turned: _clustered(record, some, self.settings, turned))
        some = some.where(some.constituents.counts() > max(ORDERS))
        if len(some):
            ours = _substructure(some.constituents, self.settings)
            _compare(record, some, ours, lambda turned: _of_fjcontrib(some.constituents, self.settings, turned))


def _compare(record: CandidateRecord, jets: Jets, ours: Values, theirs: Callable[[bool], Values]) -> None:
    """Stop at the first jet of which a quantity differs, unless it differs for fastjet too with particles turned."""
    found = theirs(False)
    for name, values in ours.items():
        wrong = np.flatnonzero(~_same(values, found[name]))
        if len(wrong):
            turned = _same(found[name], theirs(True)[name])
            for jet in wrong[turned[wrong]]:
                event = jets.event[jet]
                place = f"{record.run[event]}:{record.luminosity_block[event]}:{record.event[event]}"
                raise JetError(
                    f"{record.file}: jet {jets.rank[jet]} of event {place}: {name} is {values[jet]:.10g} here and "
                    f"{found[name][jet]:.10g} with fastjet. Remove the kept kernels (NUMBA_CACHE_DIR or "
                    "~/.cache/oddjet) and run again; features.check_jets: 0 compares nothing"
                )
            LOGGER.info("%s: %s goes by the order of particles, with fastjet too", record.file, name)


def _same(first: Floats, second: Floats) -> Bools:
    # A jet that is in neither order found by fastjet is missing, not a tie.
    return np.isclose(first, second, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)


def _values(jets: Jets, others: Jets) -> Values:
    """Momenta of `jets`, azimuths near those of `others`, and how many constituents they have, and have in common."""
    common = [
        len(set(zip(*ours, strict=True)) & set(zip(*theirs, strict=True)))
        for ours, theirs in zip(_rows(jets.constituents), _rows(others.constituents), strict=True)
    ]
    # Without vector, whose import would cost as much as the comparison.
    apart = np.remainder(jets.phi - others.phi + np.pi, 2 * np.pi) - np.pi
    return {
        "pT": jets.pt,
        "eta": jets.eta,
        "phi": others.phi + apart,
        "mass": np.where(jets.mass < SMALL_MASS, 0.0, jets.mass),
        "number of constituents": jets.constituents.counts().astype(np.float64),
        "number of common constituents": np.array(common, np.float64),
    }


def _rows(particles: Particles) -> list[tuple[list[float], ...]]:
    """Give pT, eta and phi of the particles of each row."""
    limits = zip(particles.offsets[:-1], particles.offsets[1:], strict=True)
    columns = (particles.pt, particles.eta, particles.phi)
    return [tuple(column[first:last].tolist() for column in columns) for first, last in limits]


def _turned(particles: Particles, turned: bool) -> Particles:
    """List the particles of each row backwards, if so."""
    if not turned:
        return particles
    ends = particles.offsets[1:][particles.rows()] - 1 + particles.offsets[:-1][particles.rows()]
    return particles.take(particles.counts(), ends - np.arange(len(particles.pt)))


def _clustered(record: CandidateRecord, jets: Jets, settings: FeatureSettings, turned: bool) -> Values:
    """Values of fastjet's jets of the same events and ranks; NaN where there is none."""
    events = np.unique(jets.event)
    counts = record.candidates.counts()[events]
    first = np.repeat(record.candidates.offsets[events] - np.cumsum(counts) + counts, counts)
    candidates = _turned(record.candidates.take(counts, first + np.arange(len(first))), turned)
    found = cluster(candidates, settings.radius, settings.cluster_pt_min, "fastjet")
    place = {
        (int(events[event]), int(rank)): row
        for row, (event, rank) in enumerate(zip(found.event, found.rank, strict=True))
    }
    rows = np.array([place.get(key, -1) for key in zip(jets.event.tolist(), jets.rank.tolist(), strict=True)])
    there = rows >= 0
    values = _values(found.take(rows[there]), jets.where(there))
    return {name: _spread(column, there) for name, column in values.items()}


def _spread(values: Floats, there: Bools) -> Floats:
    result = np.full(len(there), np.nan)
    result[there] = values
    return result


def _substructure(constituents: Particles, settings: FeatureSettings) -> Values:
    """N-subjettiness and groomed mass of each jet with our kernels."""
    taus = njettiness(constituents, trees(constituents, KT), ORDERS, settings.radius)
    drop = settings.softdrop
    mass = soft_drop_mass(trees(constituents, CAMBRIDGE_AACHEN), drop.zcut, drop.beta, settings.radius)
    return _named(taus, mass)


def _of_fjcontrib(constituents: Particles, settings: FeatureSettings, turned: bool) -> Values:
    """Compute the same with fjcontrib."""
    # Only a run that compares with fastjet imports it.
    from oddjet.jets import with_fastjet

    constituents = _turned(constituents, turned)
    arrays = constituents.offsets, cartesian(constituents)
    taus = with_fastjet.njettiness(*arrays, ORDERS, settings.radius)
    drop = settings.softdrop
    return _named(taus, with_fastjet.soft_drop_mass(*arrays, drop.zcut, drop.beta, settings.radius))


def _named(taus: Floats, mass: Floats) -> Values:
    names = {f"tau{order}": values for order, values in zip(ORDERS, taus, strict=True)}
    return {**names, "soft drop mass": np.where(mass < SMALL_MASS, 0.0, mass)}
