"""The columns that every table of jets begins with: which jet it is, and its momentum; and how they are filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oddjet.io.tables import Column

if TYPE_CHECKING:
    from oddjet.io.candidates import CandidateRecord
    from oddjet.jets.clustering import Jets

RECONSTRUCTED = (
    Column("run", "u4", "1", "Run number of the event."),
    Column("luminosityBlock", "u4", "1", "Luminosity block of the event."),
    Column("event", "u8", "1", "Event number."),
    Column("entry", "i8", "1", "Position of the event in its file, from 0: with the file the event's identity."),
    Column("jet_rank", "i2", "1", "Position in pT among the jets of the event, 0 for the leading one."),
    Column("pt", "f4", "GeV", "Transverse momentum of the jet."),
    Column("eta", "f4", "1", "Pseudorapidity of the jet."),
    Column("phi", "f4", "rad", "Azimuth of the jet, in [-pi, pi]."),
    Column("mass", "f4", "GeV", "Mass of the jet, at least 0."),
    Column("n_constituents", "i4", "1", "Number of constituents."),
)


def rows_of(columns: Sequence[Column], record: CandidateRecord, jets: Jets) -> NDArray[np.void]:
    """Make the rows of some jets of a record, shape (jets,): these columns are filled, others are still to be."""
    rows = np.empty(len(jets), dtype=[(column.name, column.dtype) for column in columns])
    rows["run"] = record.run[jets.event]
    rows["luminosityBlock"] = record.luminosity_block[jets.event]
    rows["event"] = record.event[jets.event]
    rows["entry"] = record.entry[jets.event]
    rows["jet_rank"] = jets.rank
    for name in ("pt", "eta", "phi", "mass"):
        rows[name] = getattr(jets, name)
    rows["n_constituents"] = jets.constituents.counts()
    return rows
