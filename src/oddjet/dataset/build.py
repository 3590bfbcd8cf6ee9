"""Build the background tables that models are trained, chosen and tested on, and the scaler."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from oddjet.dataset.jet_settings import shared_settings
from oddjet.dataset.scaler_file import write_scaler
from oddjet.dataset.scaling import ScalerFit
from oddjet.dataset.split import PARTS, ROWS_AT_A_TIME, Interleaved, RepeatedEvents, assign_parts
from oddjet.errors import DatasetError
from oddjet.io.cutflow import where_jets_went
from oddjet.io.tables import Column, TableWriter, iterate_table, read_attributes, read_columns
from oddjet.io.weights import equal_factors, row_weights, sample_factors
from oddjet.program import progress
from oddjet.settings import weight_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from oddjet.dataset.settings import DatasetSettings

LOGGER = logging.getLogger("oddjet")

IDENTIFIERS = ("run", "luminosityBlock", "event", "entry")
SOURCE = Column("source", "u4", "1", "Position in the attribute `sources` of the feature table that the jet is of.")


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
    """Split background feature tables by event, in a random order, and fit the scaler on the training part.

    The rows of every part come in the order of a hash of their events, so that any stretch of them is a fair sample of
    all background samples. So many rows are in memory at a time, whatever the size of the files. Nothing appears under
    its final name before every check has passed.

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
        If a sample with a cross section cannot be weighted to it.
        If a feature is constant, ruled by a few jets or not finite; the message names the feature and, for a single
        value, file and row.
    """
    files = list(inputs)
    columns = [*common_columns(files, settings.features, of_signal=of_signal), SOURCE]
    sources = describe_sources(files, cross_sections or {}, settings.sample_weights)
    total = sum(int(read_attributes(path)["rows"]) for path in files)
    fit = ScalerFit(settings)
    counts = dict.fromkeys(PARTS, 0)
    stored = {**attributes, **_told_of(sources)}
    with ExitStack() as stack:
        writers = {part: stack.enter_context(TableWriter(parts[part], columns, stored)) for part in PARTS}
        dtype = np.dtype([(column.name, column.dtype) for column in columns])
        rows = stack.enter_context(Interleaved(dtype, total, settings.seed, parts["train"].parent))
        read_sources(sources, rows, fit, settings)
        repeats = RepeatedEvents([f"{source.sample}/{source.file.name}" for source in sources])
        for piece in progress(rows.pieces(), total=rows.count, description="writing jets by the hash of their events"):
            repeats.update(piece)
            assigned = assign_parts(piece, settings.fractions, settings.seed)
            for index, part in enumerate(PARTS):
                writers[part].append(piece[assigned == index])
                counts[part] += int(np.count_nonzero(assigned == index))
        check_counts(counts, settings, files)
        scaler = fit.finish()
        for part in PARTS:
            writers[part].finish(repeats.attributes())
    write_scaler(scaler_path, scaler)
    repeats.log()
    LOGGER.info("dataset: %s", ", ".join(f"{part} {count} jets" for part, count in counts.items()))
    return counts


def _told_of(sources: Sequence[Source]) -> dict[str, str]:
    """Return what the tables of a dataset say of its feature tables."""
    names = [[source.sample, source.file.name] for source in sources]
    return {"sources": json.dumps(names), **shared_settings([source.file for source in sources])}


class Source(NamedTuple):
    """A feature table among the inputs: its sample, and the factor on its weights."""

    file: Path
    sample: str
    factor: float


def describe_sources(
    files: Sequence[Path], cross_sections: Mapping[str, float], sample_weights: str = "cross_section"
) -> list[Source]:
    """Return sample and weight of each feature table.

    Raises
    ------
    DatasetError
        If a cross section is of a sample that no table belongs to, or a sample cannot be weighted to it, or not to the
        same as others.
    """
    names = [read_attributes(path).get("sample", "") for path in files]
    samples: dict[str, list[Path]] = {}
    for path, name in zip(files, names, strict=True):
        samples.setdefault(name, []).append(path)
    factors = equal_factors(samples) if sample_weights == "equal" else sample_factors(samples, cross_sections)
    return [Source(path, name, factors[name]) for path, name in zip(files, names, strict=True)]


def read_sources(sources: Sequence[Source], rows: Interleaved, fit: ScalerFit, settings: DatasetSettings) -> None:
    """Pass the jets of all tables on to `rows`, weighted, and those of the training part to the scaler's fit.

    Raises
    ------
    DatasetError
        If a weight or a feature is not finite; the message names the file.
    """
    for number, start, jets in weighted_jets(sources, rows.dtype):
        file = sources[number].file
        try:
            training = np.flatnonzero(assign_parts(jets, settings.fractions, settings.seed) == 0)
            fit.update(jets[training], str(file), start + training)
        except DatasetError as error:
            raise type(error)(f"{file}: {error}") from error
        rows.add(jets)


def weighted_jets(sources: Sequence[Source], dtype: np.dtype[np.void]) -> Iterator[tuple[int, int, NDArray[np.void]]]:
    """Read the jets of all tables in pieces: the table's number, the piece's first row, and the jets, weighted.

    Raises
    ------
    DatasetError
        If a weight is not finite; the message names the file.
    """
    for number, source in enumerate(progress(sources, total=len(sources), description="reading background files")):
        start = 0
        for jets in iterate_table(source.file, None, ROWS_AT_A_TIME):
            taken = np.empty(len(jets), dtype)
            for name in jets.dtype.names or ():
                taken[name] = jets[name]
            taken[SOURCE.name] = number
            try:
                for name in weight_columns(jets.dtype.names or ()):
                    taken[name] = row_weights(jets[name], source.factor)
            except DatasetError as error:
                raise type(error)(f"{source.file}: {error}") from error
            yield number, start, taken
            start += len(jets)


def write_test_jets(
    inputs: Iterable[Path],
    output: Path,
    settings: DatasetSettings,
    attributes: Mapping[str, str],
    cross_sections: Mapping[str, float] | None = None,
    *,
    of_signal: bool = False,
) -> int:
    """Write the jets of the test part alone, of tables under a variation: the same events as those of the dataset.

    Parameters
    ----------
    inputs
        Feature tables of the background.
    output
        Table to write.
    settings, attributes, cross_sections, of_signal
        As of `build_dataset`; no scaling is fitted, and no other part is written.

    Returns
    -------
    int
        Number of jets.

    Raises
    ------
    DatasetError
        As `build_dataset`; or no jet is left.
    """
    files = list(inputs)
    columns = [*common_columns(files, settings.features, of_signal=of_signal), SOURCE]
    sources = describe_sources(files, cross_sections or {}, settings.sample_weights)
    dtype, count = np.dtype([(column.name, column.dtype) for column in columns]), 0
    stored = {**attributes, **_told_of(sources)}
    with TableWriter(output, columns, stored) as writer:
        for _, _, jets in weighted_jets(sources, dtype):
            test = jets[assign_parts(jets, settings.fractions, settings.seed) == PARTS.index("test")]
            writer.append(test)
            count += len(test)
        if not count:
            raise DatasetError(f"{files[0]} and the others hold no jet of the test part")
        writer.finish()
    return count


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
    unknown = [name for name in IDENTIFIERS if name not in names]
    if unknown:
        raise DatasetError(f"{files[0]} has no column {unknown[0]}; run the stage extract_features again")
    missing = [name for name in features if name not in names]
    if missing:
        raise DatasetError(
            f"{files[0]} has no column {missing[0]}, which dataset.features names; its columns are {', '.join(names)}. "
            "Add the feature to the feature stage or remove it from dataset.features"
        )
    for path in files[1:]:
        _compare_columns(files[0], first, path, read_columns(path))
    return first


def check_counts(counts: Mapping[str, int], settings: DatasetSettings, files: Sequence[Path]) -> None:
    """Raise `DatasetError` for the first part with fewer jets than `settings.minimum_jets` asks for."""
    for part in PARTS:
        wanted = getattr(settings.minimum_jets, part)
        if counts[part] < wanted:
            share = getattr(settings.fractions, part)
            raise DatasetError(
                f"the {part} part has {counts[part]} jets, dataset.minimum_jets.{part} is {wanted} "
                f"({sum(counts.values())} jets in {len(files)} background file(s), fraction {share:g}). "
                f"{where_jets_went(files)}Give more background events or files, change the cuts (features), "
                f"dataset.fractions, or dataset.minimum_jets.{part}"
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
