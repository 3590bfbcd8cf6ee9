"""Build the background tables that models are trained, chosen and tested on, and the scaler."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from oddjet.dataset.scaler_file import write_scaler
from oddjet.dataset.scaling import ScalerFit, ScalingError
from oddjet.dataset.split import PARTS, assign_parts
from oddjet.errors import OddjetError
from oddjet.io.tables import Column, TableWriter, read_attributes, read_columns, read_table
from oddjet.io.weights import weight_of_cross_section
from oddjet.program import progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from oddjet.dataset.settings import DatasetSettings

LOGGER = logging.getLogger("oddjet")


class DatasetError(OddjetError):
    """The feature tables do not make a dataset."""


def build_dataset(
    inputs: Iterable[Path],
    parts: Mapping[str, Path],
    scaler_path: Path,
    settings: DatasetSettings,
    attributes: Mapping[str, str],
    cross_sections: Mapping[str, float] | None = None,
    *,
    of_signal: bool = False,
) -> dict[str, int]:
    """Split background feature tables by event and fit the scaler on the training part.

    One file is in memory at a time. Nothing appears under its final name before every check has passed.

    Parameters
    ----------
    inputs : iterable of Path
        Feature tables of background samples, all with the same columns.
    parts : mapping of str to Path
        Where `train`, `validation` and `test` go.
    scaler_path : Path
        Where the scaler goes, as JSON.
    settings : DatasetSettings
        Fractions, salt, features, scaling, smallest parts.
    attributes : mapping of str to str
        Provenance, stored in the three tables.
    cross_sections : mapping of str to float, optional
        In pb, by sample: their jets' weights are multiplied with it, over the sum of the sample's generator weights.
    of_signal : bool
        Take jets that were kept for a dark quark, and no others: the training with the roles reversed alone.

    Returns
    -------
    dict of str to int
        Jets in each part.

    Raises
    ------
    DatasetError
        If there is no input, a file comes twice or is a signal's, columns differ between files, or a part is too small.
    WeightError
        If a sample with a cross section cannot be weighted to it.
    ScalingError
        If a feature is constant or not finite; the message names the feature and, for a single value, the file.
    """
    files = list(inputs)
    columns = common_columns(files, settings.features, of_signal=of_signal)
    factors = sample_factors(files, cross_sections or {})
    fit = ScalerFit(settings)
    counts = dict.fromkeys(PARTS, 0)
    with ExitStack() as stack:
        writers = {part: stack.enter_context(TableWriter(parts[part], columns, attributes)) for part in PARTS}
        for path in progress(files, total=len(files), description="splitting background files"):
            jets = read_table(path)
            if path in factors:
                jets["weight"] *= factors[path]
            assigned = assign_parts(jets, settings.fractions, settings.seed)
            for index, part in enumerate(PARTS):
                selected = jets[assigned == index]
                counts[part] += len(selected)
                if part == "train":
                    _update(fit, selected, path)
                writers[part].append(selected)
        check_counts(counts, settings, len(files))
        scaler = fit.finish()
        for part in PARTS:
            writers[part].finish()
    write_scaler(scaler_path, scaler)
    LOGGER.info("dataset: %s", ", ".join(f"{part} {count} jets" for part, count in counts.items()))
    return counts


def sample_factors(files: Sequence[Path], cross_sections: Mapping[str, float]) -> dict[Path, float]:
    """Return the factor on the weights of each feature table whose sample has a cross section.

    Raises
    ------
    DatasetError
        If a cross section is of a sample that no table belongs to.
    WeightError
        If the weights of a sample do not add up to more than 0.
    """
    samples: dict[str, list[Path]] = {}
    for path in files:
        samples.setdefault(read_attributes(path).get("sample", ""), []).append(path)
    unknown = sorted(set(cross_sections) - set(samples))
    if unknown:
        raise DatasetError(
            f"--cross-sections: {unknown[0]!r} is no sample of the tables; they are {', '.join(samples)}"
        )
    factors: dict[Path, float] = {}
    for name, cross_section in cross_sections.items():
        factors |= dict.fromkeys(samples[name], weight_of_cross_section(samples[name], cross_section))
    return factors


def common_columns(files: Sequence[Path], features: Sequence[str], *, of_signal: bool = False) -> list[Column]:
    """Return the columns that all files share; raise `DatasetError` where they differ or a feature is missing."""
    if not files:
        raise DatasetError("no background feature table was given; name at least one background sample in the config")
    seen: set[Path] = set()
    for path in files:
        if path.resolve() in seen:
            raise DatasetError(f"{path} is given twice; its jets would count double")
        seen.add(path.resolve())
        # By its selection, not by its name: jets that were kept for a dark quark are signal, and no model may see them.
        matched = read_attributes(path).get("require_match") == "dark_quark"
        if of_signal and not matched:
            raise DatasetError(
                f"{path} holds jets that need not come from a dark quark; give the sample of kind 'reversed' "
                "require_match: dark_quark"
            )
        if matched and not of_signal:
            raise DatasetError(
                f"{path} holds jets matched to dark quarks: a signal sample; give background samples only, so that no "
                "signal enters the training"
            )
    first = read_columns(files[0])
    names = [column.name for column in first]
    missing = [name for name in features if name not in names]
    if missing:
        raise DatasetError(
            f"{files[0]} has no column {missing[0]}, which dataset.features names; its columns are {', '.join(names)}. "
            "Add the feature to the feature stage or remove it from dataset.features"
        )
    for path in files[1:]:
        _compare_columns(files[0], first, path, read_columns(path))
    return first


def check_counts(counts: Mapping[str, int], settings: DatasetSettings, files: int) -> None:
    """Raise `DatasetError` for the first part with fewer jets than `settings.minimum_jets` asks for."""
    for part in PARTS:
        wanted = getattr(settings.minimum_jets, part)
        if counts[part] < wanted:
            share = getattr(settings.fractions, part)
            raise DatasetError(
                f"the {part} part has {counts[part]} jets, dataset.minimum_jets.{part} is {wanted} "
                f"({sum(counts.values())} jets in {files} background file(s), fraction {share:g}); simulate more "
                f"background events, give more files, or change dataset.fractions or dataset.minimum_jets.{part}"
            )


def _compare_columns(reference: Path, expected: Sequence[Column], path: Path, found: Sequence[Column]) -> None:
    """Raise if `path` lacks a column of `reference`, has one more, or stores one in another type or unit."""
    wanted = {column.name: (np.dtype(column.dtype), column.unit) for column in expected}
    present = {column.name: (np.dtype(column.dtype), column.unit) for column in found}
    for name in [*wanted, *present]:
        if wanted.get(name) != present.get(name):
            here, there = (
                "no such column" if columns.get(name) is None else "{} in {}".format(*columns[name])
                for columns in (present, wanted)
            )
            raise DatasetError(
                f"{path}: column {name} differs from {reference} (here: {here}; there: {there}); "
                "extract the features of all background samples with the same settings"
            )


def _update(fit: ScalerFit, jets: NDArray[np.void], path: Path) -> None:
    """Update the fit, naming the file in an error."""
    try:
        fit.update(jets)
    except ScalingError as error:
        raise ScalingError(f"{path}: {error}") from error
