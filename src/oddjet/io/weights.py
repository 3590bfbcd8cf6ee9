"""From a cross section to the weight of an event, by what a sample's tables say of the events generated behind them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from oddjet.errors import OddjetError
from oddjet.io.tables import read_attributes

# Entry of the cutflow that holds it.
GENERATED = "sum_of_generated_weights"


class WeightError(OddjetError):
    """Events cannot be weighted to a cross section."""


def weight_of_cross_section(tables: Iterable[Path], cross_section: float) -> float:
    """Give the factor that weights a sample's events to its cross section.

    Parameters
    ----------
    tables : iterable of Path
        All feature tables of the sample: the sum of generator weights goes over all its files.
    cross_section : float
        In pb.

    Returns
    -------
    float
        Cross section over the sum of the generator weights, pb.

    Raises
    ------
    WeightError
        A table has no cutflow, or the weights do not add up to more than 0.
    """
    total, names = 0.0, []
    for path in tables:
        attributes = read_attributes(path)
        if "cutflow" not in attributes:
            raise WeightError(f"{path}: the table has no cutflow; it is not one of extract_features")
        total += dict(json.loads(attributes["cutflow"]))[GENERATED]
        names.append(str(path))
    if not total > 0:
        raise WeightError(
            f"{', '.join(names[:3])}: the generator weights add up to {total:g}, so the sample's events cannot be "
            f"weighted to a cross section of {cross_section:g} pb; give it a weight in the place of cross_section"
        )
    return cross_section / total
