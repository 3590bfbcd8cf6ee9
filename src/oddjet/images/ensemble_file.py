"""Tables of event-to-ensemble distances: how far test jets are from reference jets and from an average image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TableError
from oddjet.io.tables import Column, read_attributes, read_list, read_table


@dataclass(frozen=True)
class EnsembleDistances:
    """Distances of test jets to the reference jets of one sample.

    Attributes
    ----------
    reference, metric : str
        Sample of the reference jets, metric.
    members : int64 array, shape (r,)
        Positions of the reference jets among the reference sample's.
    samples : dict of str to (float64 array of shape (n, r), float64 array of shape (n,))
        For each sample the distances of its test jets to the members and to the average image.
    weights : dict of str to array of shape (n,)
        Weights of these jets.
    """

    reference: str
    metric: str
    members: NDArray[np.int64]
    samples: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    weights: dict[str, NDArray[np.floating[Any]]]

    def to(self, sample: str, jets: Sequence[int]) -> NDArray[np.float64]:
        """Distances of a sample's test jets to these reference jets, shape (n, len(jets))."""
        return self.samples[sample][0][:, np.searchsorted(self.members, np.asarray(jets))]


def read_ensembles(path: Path) -> EnsembleDistances:
    """Read what `measure_ensembles` wrote; raises `TableError` for anything else."""
    attributes = read_attributes(path)
    missing = [key for key in ("samples", "members", "reference", "metric") if key not in attributes]
    if missing:
        raise TableError(f"{path}: no attribute '{missing[0]}'; give a table that measure_ensembles wrote")
    samples, members = read_list(path, "samples", str), np.array(read_list(path, "members", int), np.int64)
    table = read_table(path, ["sample", "weight", "distance", "average"])
    found = {name: table[table["sample"] == code] for code, name in enumerate(samples)}
    return EnsembleDistances(
        attributes["reference"],
        attributes["metric"],
        members,
        {name: (rows["distance"], rows["average"]) for name, rows in found.items()},
        {name: rows["weight"] for name, rows in found.items()},
    )


def ensemble_columns(members: int) -> list[Column]:
    """Columns of a table of distances to so many reference jets."""
    return [
        Column("sample", "i2", "1", "Position in the attribute `samples`."),
        Column("run", "u4", "1", "Run number of the event."),
        Column("luminosityBlock", "u4", "1", "Luminosity block of the event."),
        Column("event", "u8", "1", "Event number."),
        Column("jet_rank", "i2", "1", "Position in pT among the jets of the event, 0 for the leading one."),
        Column("pt", "f4", "GeV", "Transverse momentum of the jet."),
        Column("mass", "f4", "GeV", "Mass of the jet, at least 0."),
        Column("weight", "f4", "1", "Generator weight."),
        Column("distance", f"({members},)f8", "1", "Distance to each jet of the attribute `members`."),
        Column("average", "f8", "1", "Distance to the average image of the reference sample."),
    ]
