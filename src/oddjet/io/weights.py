"""From generator weight and cross section to the weight of a row: the one place where that is decided.

The weight of a row of a feature table is the generator weight of its event times the `weight` of its sample. Where
samples come together (the dataset, the score tables) the weight of a row is that, times

    cross section / sum of the generator weights of all events that the sample was generated with,

in pb: the sum over a sample, were nothing cut away, is its cross section (times the sample's `weight`, then a
k-factor). There is no luminosity: it is the same for all samples, and no result depends on it. Without cross sections
the stored weights stand as they are. Or the samples of a background all count the same: then the sum over the rows of
each is the same, and that over all of them what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import DatasetError
from oddjet.io.tables import damage_of, read_attributes, read_json, read_table

# Entry of the cutflow that holds it.
GENERATED = "sum_of_generated_weights"
READ = "sum_of_weights"
# Sums of many float32 weights, made in another order.
SUM_TOLERANCE = 1e-3


def sample_factors(samples: Mapping[str, Sequence[Path]], cross_sections: Mapping[str, float]) -> dict[str, float]:
    """Return the factor on the stored weights of every sample: 1 for one without a cross section.

    Parameters
    ----------
    samples : mapping of str to sequence of Path
        All feature tables of each sample, by its name: the sum of generator weights goes over all its files.
    cross_sections : mapping of str to float
        In pb, by sample.

    Raises
    ------
    DatasetError
        If a cross section is of no sample, a table has no cutflow, or the weights do not add up to more than 0.
    """
    unknown = sorted(set(cross_sections) - set(samples))
    if unknown:
        raise DatasetError(
            f"--cross-sections: {unknown[0]!r} is no sample of the tables; they are {', '.join(samples)}"
        )
    return {
        name: cross_sections[name] / _generated(tables, cross_sections[name]) if name in cross_sections else 1.0
        for name, tables in samples.items()
    }


def equal_factors(samples: Mapping[str, Sequence[Path]]) -> dict[str, float]:
    """Return the factor on the stored weights of every sample with which the rows of each add up to the same.

    Parameters
    ----------
    samples : mapping of str to sequence of Path
        All feature tables of each sample, by its name.

    Raises
    ------
    DatasetError
        If the weights of a sample do not add up to more than 0.
    """
    sums = {
        name: sum(float(read_table(path, ["weight"])["weight"].sum(dtype=np.float64)) for path in tables)
        for name, tables in samples.items()
    }
    wrong = next((name for name, total in sums.items() if not total > 0), None)
    if wrong is not None:
        raise DatasetError(
            f"sample {wrong}: the weights of its jets add up to {sums[wrong]:g}, so it cannot count as much as others; "
            "look at its generator weights, or leave out dataset.sample_weights"
        )
    mean = sum(sums.values()) / len(sums)
    return {name: mean / total for name, total in sums.items()}


def row_weights(stored: NDArray[np.floating[Any]], factor: float) -> NDArray[np.float64]:
    """Return the weights of rows, shape (n,), from those stored in the feature table and the sample's factor.

    Raises
    ------
    DatasetError
        If one is not finite.
    """
    weights = np.asarray(stored, dtype=np.float64) * factor
    if not np.isfinite(weights.astype(np.float32)).all():
        raise DatasetError(
            f"{np.count_nonzero(~np.isfinite(weights.astype(np.float32)))} of {len(weights)} weights are not finite as "
            "32-bit numbers; look at the generator weights and at the cross section"
        )
    return weights


def _generated(tables: Iterable[Path], cross_section: float) -> float:
    """Sum the generator weights of a sample's tables; raise `DatasetError` where they are not above 0."""
    total, names = 0.0, []
    for path in tables:
        if "cutflow" not in read_attributes(path):
            raise DatasetError(f"{path}: the table has no cutflow; it is not one of extract_features")
        with damage_of(path, "cutflow"):
            cutflow = dict(read_json(path, "cutflow"))
            generated, read = float(cutflow[GENERATED]), float(cutflow.get(READ, 0))
        if generated < read * (1 - SUM_TOLERANCE):
            raise DatasetError(
                f"{path}: its file says that its events were generated with weights of {generated:g}, and those that "
                f"are left in it weigh {read:g}; repair the file, or give a weight in the place of cross_section"
            )
        total += generated
        names.append(str(path))
    if not total > 0:
        raise DatasetError(
            f"{', '.join(names[:3])}: the generator weights add up to {total:g}, so the sample's events cannot be "
            f"weighted to a cross section of {cross_section:g} pb; give it a weight in the place of cross_section"
        )
    return total
