"""The jets that a file brings along, with their constituents."""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.errors import DamagedFileError
from oddjet.io.candidates import Particles, StoredJets
from oddjet.io.columns import Columns
from oddjet.io.layouts import JetBranches
from oddjet.io.momenta import StoredMomenta, read_momenta


def read_jets(
    columns: Columns,
    jets: JetBranches,
    unit: float,
    candidates: Particles | None,
    entry: Ints,
) -> StoredJets:
    """Read the jets of a chunk.

    Parameters
    ----------
    columns : Columns
    jets : JetBranches
        With those of the optional branches that the file has.
    unit : float
        GeV in the unit of the file.
    candidates : Particles or None
        One row an event, none dropped; None where constituents are not asked for.
    entry : int64 array, shape (events,)
        Positions in the file, for messages.

    Raises
    ------
    DamagedFileError
        A momentum is none, or a link points nowhere or links twice.
    UnreadableFileError
        A branch is of another shape or type.
    """
    group = jet_momenta(columns, jets, unit)
    mask = group.bad()
    if mask is not None:
        bad = int(np.argmax(mask))
        raise DamagedFileError(f"{columns.path}: {group.reason(bad)} in entry {entry[group.rows()[bad]]}")
    momenta = group.particles()
    raw = 1 - group.values[jets.raw_factor] if jets.raw_factor else np.ones(len(momenta.pt))
    if candidates is None or not jets.linked():
        return StoredJets(momenta, None, raw)
    event, jet, candidate = _links(columns, jets, momenta, candidates)
    for name, index, sizes in zip(_names(jets), (jet, candidate), (momenta.counts(), candidates.counts()), strict=True):
        outside = (index < 0) | (index >= sizes[event])
        if outside.any():
            bad = int(np.argmax(outside))
            raise DamagedFileError(
                f"{columns.path}: {name} is {index[bad]} in entry {entry[event[bad]]}, which is no position in a "
                "collection; set recluster: true"
            )
    jet += momenta.offsets[event]
    candidate += candidates.offsets[event]
    pairs, first = np.unique(jet * max(len(candidates.pt), 1) + candidate, return_index=True)
    if len(pairs) < len(jet):
        bad = int(np.setdiff1d(np.arange(len(jet)), first)[0])
        raise DamagedFileError(
            f"{columns.path}: {' and '.join(dict.fromkeys(_names(jets)))} link a candidate to one jet twice in entry "
            f"{entry[event[bad]]}; set recluster: true"
        )
    kept = candidates.pt[candidate] > 0
    jet, candidate = jet[kept], candidate[kept]
    order = np.lexsort((-candidates.pt[candidate], jet))
    counts = np.bincount(jet, minlength=len(momenta.pt))
    return StoredJets(momenta, candidates.take(counts, candidate[order]), raw)


def jet_momenta(columns: Columns, jets: JetBranches, unit: float) -> StoredMomenta:
    """Read the momenta of the jets of a chunk, those of no jet too; raises as `read_momenta` does."""
    more = [jets.raw_factor] if jets.raw_factor else []
    return read_momenta(columns, jets.momenta, unit, jets.momenta.mass, None, more, alone=jets.alone)


def _names(jets: JetBranches) -> tuple[str, str]:
    """Name the branches that positions of jets and of candidates come from."""
    if jets.links:
        return jets.links
    return (jets.counts or jets.constituents or "", jets.constituents or "")


def _links(columns: Columns, jets: JetBranches, momenta: Particles, candidates: Particles) -> tuple[Ints, Ints, Ints]:
    """Give the event, and the positions of the jet and of the candidate in it, of each constituent."""
    if jets.alone:
        event = candidates.rows()
        return event, np.zeros_like(event), np.arange(len(event)) - candidates.offsets[event]
    if jets.links:
        counts, values = columns.same_lists(jets.links)
        event = np.repeat(np.arange(len(counts)), counts)
        jet, candidate = (_positions(columns, name, values[name]) for name in jets.links)
        return event, jet, candidate
    assert jets.constituents is not None, "jets are linked in one of three ways"
    sizes, stored = (
        _counted(columns, jets.constituents, jets.counts) if jets.counts else columns.lists_of_lists(jets.constituents)
    )
    rows = np.repeat(np.arange(len(sizes[0])), sizes[0])
    within = np.arange(len(rows)) - np.repeat(np.cumsum(sizes[0]) - sizes[0], sizes[0])
    return (
        np.repeat(rows, sizes[1]),
        np.repeat(within, sizes[1]),
        _positions(columns, jets.constituents, stored.astype(np.float64)),
    )


def _counted(columns: Columns, name: str, counts: str) -> tuple[tuple[Ints, Ints], Floats]:
    """Cut the list of an event into those of its jets: numbers of jets, of their constituents, and the positions."""
    total, stored = columns.lists(name)
    jets, sizes = columns.lists(counts)
    sizes = _positions(columns, counts, sizes.astype(np.float64))
    sums = np.bincount(np.repeat(np.arange(len(jets)), jets), weights=sizes, minlength=len(jets))
    if (sizes < 0).any() or not np.array_equal(sums, total):
        raise DamagedFileError(f"{columns.path}: {counts} does not add up to the lengths of {name}")
    return (jets, sizes), stored


def _positions(columns: Columns, name: str, values: Floats) -> Ints:
    """Give positions in a collection; raises `DamagedFileError` for those that are no whole numbers."""
    found = values.astype(np.int64)
    if not np.array_equal(found, values):
        bad = int(np.argmax(found != values))
        raise DamagedFileError(
            f"{columns.path}: {name} is {values[bad]:g}, which is no position in a collection; set recluster: true"
        )
    return found
