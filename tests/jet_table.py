"""The columns of a small table of jets, as a dataset has them, for tests of what is made from one."""

from oddjet.io.tables import Column

COLUMNS = [
    Column("run", "u4", "1", "run number"),
    Column("luminosityBlock", "u4", "1", "luminosity block"),
    Column("event", "u8", "1", "event number"),
    Column("source", "u4", "1", "position of the feature table"),
    Column("entry", "i8", "1", "position of the event in its file"),
    Column("jet_rank", "i2", "1", "0 for the leading jet"),
    Column("pt", "f4", "GeV", "transverse momentum"),
    Column("mass", "f4", "GeV", "jet mass"),
    Column("weight", "f4", "1", "event weight"),
    Column("tau2", "f4", "1", "2-subjettiness"),
]
