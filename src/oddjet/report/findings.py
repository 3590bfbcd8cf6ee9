"""What the report of a run is made from, read from a results folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oddjet.benchmarks import Cost, read_costs
from oddjet.errors import TableError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow
from oddjet.evaluation.matrix import MatrixRow
from oddjet.evaluation.score_table import epochs_by_method
from oddjet.io.csv import read_rows
from oddjet.io.origin import read_origin
from oddjet.jets.cutflow import read_report
from oddjet.report.settings import TABLES, Shown
from oddjet.run_record import remembered
from oddjet.titles import Titles


@dataclass(frozen=True)
class Findings:
    """What the report says of an analysis.

    Attributes
    ----------
    analysis : str
    background : sequence of str
        The samples that its models are trained on.
    rows, grid, merits, ceilings
        Rows of the tables of the analysis.
    epochs : mapping of str to mapping of int to int
        Trained method to seed to chosen epoch.
    figures : mapping of str to Path
        Name without suffix to PNG file.
    record : mapping
        Origin of the leaderboard: versions, digests, processor.
    titles : Titles
        Of the methods, and units of the axes.
    """

    analysis: str
    background: Sequence[str]
    rows: Sequence[AucRow]
    grid: Sequence[GridRow]
    merits: Sequence[MeritRow]
    ceilings: Sequence[AucRow]
    epochs: Mapping[str, Mapping[int, int]]
    figures: Mapping[str, Path]
    record: Mapping[str, Any] = field(default_factory=dict)
    titles: Titles = field(default_factory=Titles)


@dataclass(frozen=True)
class Run:
    """All that a report is made from.

    Attributes
    ----------
    analyses : sequence of Findings
        At least one.
    cutflow : mapping of str to list of (str, number)
        Sample to what became of its events and jets.
    bad_files : mapping of str to list of mappings
        Sample to its skipped files with `path` and `reason`.
    matrix : sequence of MatrixRow
        Trainings against backgrounds; none where the run makes no matrix.
    matrix_figure : Path or None
        PNG file.
    costs : sequence of Cost
        Of the jobs of these analyses and their samples; may be empty.
    configuration : mapping or None
        All values of the configuration, where the results folder knows them.
    """

    analyses: Sequence[Findings]
    cutflow: Mapping[str, Sequence[tuple[str, float]]]
    bad_files: Mapping[str, Sequence[Mapping[str, Any]]]
    matrix: Sequence[MatrixRow] = ()
    matrix_figure: Path | None = None
    costs: Sequence[Cost] = ()
    configuration: Mapping[str, Any] | None = None


def read_run(
    results: Path, shown: Mapping[str, Shown], scores: Iterable[Path], figures: Iterable[Path], matrix: Path | None
) -> Run:
    """Read what a report is made from.

    Parameters
    ----------
    results
        Results folder, with a folder for each analysis.
    shown
        What the configuration says of each analysis.
    scores, figures
        Score tables and PNG files of all analyses, each below the folder of its own.
    matrix
        Table of trainings and backgrounds; None where there is none.

    Raises
    ------
    TableError
        A table is missing or cannot be read, lies below no folder of an analysis, or two say different things of a
        sample.
    """
    tables, pictures = _by_folder(results, scores), _by_folder(results, figures)
    analyses = [
        _read_findings(results / name, one, tables.get(name, []), pictures.get(name, [])) for name, one in shown.items()
    ]
    cutflow, bad_files = (
        _of_samples(results / name / file for name in shown) for file in ("cutflow.json", "bad_files.json")
    )
    before = remembered(results)
    return Run(
        analyses,
        cutflow,
        bad_files,
        read_rows(matrix, MatrixRow) if matrix else (),
        next((path for path in pictures.get("matrix", [])), None),
        read_costs(results / "benchmarks", {*shown, *cutflow}),
        before and before.configuration,
    )


def _read_findings(folder: Path, shown: Shown, scores: Sequence[Path], figures: Sequence[Path]) -> Findings:
    leaderboard, grid, merits, ceilings = (folder / name for name in TABLES[:4])
    epochs = {name: found for name, found in epochs_by_method(scores).items() if name in shown.trained}
    return Findings(
        folder.name,
        shown.background,
        read_rows(leaderboard, AucRow),
        read_rows(grid, GridRow),
        read_rows(merits, MeritRow),
        read_rows(ceilings, AucRow),
        epochs,
        {path.stem: path for path in figures},
        read_origin(leaderboard),
        Titles(shown.titles, heatmap=shown.heatmap),
    )


def _by_folder(results: Path, paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return files by the folder of the results folder that they lie below."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        if not path.is_relative_to(results):
            raise TableError(f"{path}: does not lie below {results}; give the files of that folder")
        found.setdefault(path.relative_to(results).parts[0], []).append(path)
    return found


def _of_samples(paths: Iterable[Path]) -> dict[str, Any]:
    """Read files of check_cutflow: analyses share samples, of which each file says the same."""
    found: dict[str, Any] = {}
    for path in paths:
        for sample, told in read_report(path).items():
            if found.setdefault(sample, told) != told:
                raise TableError(f"{path}: says otherwise of {sample} than another analysis; run check_cutflow again")
    return found
