"""The columns that every table of jets begins with: which jet it is, and its momentum."""

from __future__ import annotations

from oddjet.io.tables import Column

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
