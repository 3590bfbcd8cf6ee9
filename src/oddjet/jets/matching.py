"""Truth matching: which jets lie near a parton of the hard process, or are made of what came out of the dark sector."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from oddjet.arrays import Ints
from oddjet.errors import JetError
from oddjet.io.candidates import CandidateRecord, Particles
from oddjet.io.chunks import DARK_PRODUCTS, ChunkReader
from oddjet.jets.clustering import Jets

# Of the pT of a dark jet, dark decay products carry more than this share.
DARK_SHARE = 0.5
# Partons that a jet may lie near without a requirement.
ANY_PARTON = ("dark_quark", "top")


def momenta(jets: Jets | Particles, rows: Ints | slice = slice(None)) -> Any:  # noqa: ANN401 - vector has no types
    """Return the momenta of the chosen rows as a vector array of float64: pT (GeV), azimuth and pseudorapidity."""
    # It takes half a second to import, with sympy where torch is there: only a job that matches jets waits.
    import vector

    coordinates = {"rho": jets.pt[rows], "phi": jets.phi[rows], "eta": jets.eta[rows]}
    return vector.arr({name: np.asarray(values, dtype=np.float64) for name, values in coordinates.items()})


def matched(jets: Jets, partons: Particles, radius: float) -> npt.NDArray[np.bool_]:
    """Whether a parton of the jet's event lies within `radius` in (eta, phi).

    Parameters
    ----------
    jets : Jets
    partons : Particles
        One row an event of the chunk.
    radius : float
        Largest Delta R, exclusive.

    Returns
    -------
    bool array, shape (jets,)
    """
    jet, _, near = _pairs(jets, partons, radius)
    found = np.zeros(len(jets), bool)
    found[jet[near]] = True
    return found


def nearest(jets: Jets, others: Particles, radius: float) -> Ints:
    """Return the position of the nearest particle of each jet's event, -1 where none lies within `radius`.

    Parameters
    ----------
    jets : Jets
    others : Particles
        One row an event of the chunk.
    radius : float
        Largest Delta R, exclusive.

    Returns
    -------
    int64 array, shape (jets,)
    """
    jet, particle, near = _pairs(jets, others, radius)
    jet, particle = jet[near], particle[near]
    distance = np.asarray(momenta(jets, jet).deltaR(momenta(others, particle)))
    order = np.lexsort((distance, jet))
    jet, particle = jet[order], particle[order]
    found = np.full(len(jets), -1, np.int64)
    first = np.unique(jet, return_index=True)[1]
    found[jet[first]] = particle[first]
    return found


def _pairs(
    jets: Jets, particles: Particles, radius: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Pair each jet with the particles of its event: positions of both, and whether they lie within `radius`."""
    counts = particles.counts()[jets.event]
    jet = np.repeat(np.arange(len(jets)), counts)
    within = np.arange(len(jet)) - np.repeat(np.cumsum(counts) - counts, counts)
    particle = particles.offsets[jets.event[jet]] + within
    near = momenta(jets, jet).deltaR(momenta(particles, particle)) < radius
    return jet, particle, np.asarray(near)


def dark(jets: Jets, products: Particles, radius: float) -> npt.NDArray[np.bool_]:
    """Whether dark decay products carry more than half of the jet's pT.

    Parameters
    ----------
    jets : Jets
    products : Particles
        What dark hadrons decay to and a detector sees, one row an event of the chunk.
    radius : float
        Products within it in (eta, phi) are the jet's, exclusive.

    Returns
    -------
    bool array, shape (jets,)
    """
    jet, particle, near = _pairs(jets, products, radius)
    jet, particle = jet[near], particle[near]
    import vector

    inside = momenta(products, particle)
    px, py = (np.bincount(jet, weights=component, minlength=len(jets)) for component in (inside.x, inside.y))
    carried: Any = vector.arr({"x": px, "y": py})
    return np.asarray(carried.rho > DARK_SHARE * jets.pt)


def truth_match(jets: Jets, record: CandidateRecord, require: str, radius: float) -> npt.NDArray[np.int8]:
    """Truth match of each jet.

    Parameters
    ----------
    jets : Jets
    record : CandidateRecord
        Of the events of the jets.
    require : {"none", "dark_quark", "dark_jet", "top", "w"}
        What must be near, or inside; with "none" a dark quark or a top quark counts.
    radius : float
        Largest Delta R.

    Returns
    -------
    int8 array, shape (jets,)
        1 matched, 0 not, -1 where there is no truth.

    Raises
    ------
    JetError
        A match is required and the file has no truth.
    """
    if record.partons is None:
        if require == "none":
            return np.full(len(jets), -1, np.int8)
        raise JetError(
            f"{record.file}: require_match is {require}, but the file has no generator particles; "
            "set require_match: none for this sample"
        )
    if require == "dark_jet":
        return dark(jets, record.partons[DARK_PRODUCTS], radius).astype(np.int8)
    near = np.zeros(len(jets), bool)
    for kind in ANY_PARTON if require == "none" else [require]:
        near |= matched(jets, record.partons[kind], radius)
    return near.astype(np.int8)


def check_truth(reader: ChunkReader, require: str) -> None:
    """Refuse a file without generator particles that its jets must match; raises `JetError` with what it lacks."""
    if require == "none" or reader.truth is not None:
        return
    lacking = ", ".join(reader.lacking_truth)
    words = f"lacks {lacking}" if lacking else f"is of the layout {reader.layout.name}, which has none"
    raise JetError(
        f"{reader.path}: require_match is {require}, but the file has no generator particles: it {words}. Set "
        "require_match: none for this sample"
    )


def check_found(reader: ChunkReader, require: str, events: int) -> None:
    """Refuse a file in which no event has a particle of the kind that its jets must match.

    Parameters
    ----------
    reader : ChunkReader
        After all chunks.
    require : str
        See `truth_match`.
    events : int
        Events that were read.

    Raises
    ------
    JetError
        Names the status codes that there are instead.
    """
    kind = DARK_PRODUCTS if require == "dark_jet" else require
    if require == "none" or not events or reader.found[kind]:
        return
    raise JetError(
        f"{reader.path}: require_match is {require}, but {_what_is_missing(reader, kind)} in {events} events. Set "
        "require_match: none for this sample, or give files that keep such particles"
    )


def _what_is_missing(reader: ChunkReader, kind: str) -> str:
    if kind == DARK_PRODUCTS:
        return "no generator particle has a dark hadron for a mother"
    identifiers, status = reader.sought(kind)
    seen = reader.statuses[kind]
    if not seen:
        return f"no generator particle has the PDG identifier {identifiers}"
    there = ", ".join(map(str, sorted(seen)))
    return (
        f"none with the PDG identifier {identifiers} has Pythia 8's status {status}; they have the status {there}, as "
        "another generator gives it,"
    )
