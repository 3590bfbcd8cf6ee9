"""The part of the report over all analyses: one line each, and the matrix of trainings and backgrounds."""

from __future__ import annotations

from collections.abc import Mapping

from oddjet.axes import Point, axes_of
from oddjet.evaluation.backgrounds import of_training
from oddjet.evaluation.matrix import NOTE, backgrounds_of, matrix_of, worst
from oddjet.report.blocks import ERRORS, auc_in_words, number
from oddjet.report.findings import Findings, Run
from oddjet.report.html import Block, Cell, Gallery, Picture, Section, Table, Text
from oddjet.report.results_sections import NOTES, READ_ME, best_of

# Up to this number of signals are named; of more, their number and where they lie.
NAMED = 3
DIFFERENT = (
    "Analyses differ in their backgrounds, their signals, or what the models see: an AUC compares with that of another "
    "analysis only where the background and the signals are the same."
)


def part_of(findings: Findings) -> str:
    """Return the name of the part of an analysis, which no section of the page has."""
    return f"{findings.analysis}/analysis"


def overview_sections(run: Run) -> list[Section]:
    """Return the table of all analyses."""
    rows = []
    for findings in run.analyses:
        best = best_of(findings)
        cells = [
            Cell(findings.analysis, link=part_of(findings)),
            Cell(" + ".join(findings.background)),
            Cell(_signals(findings)),
            Cell("-" if best is None else findings.titles(best.method)),
            Cell("-") if best is None else number(best.auc, auc_in_words(best)),
        ]
        rows.append(cells)
    head = ["analysis", "background", "signals", "best method", "mean AUC"]
    table = Table(
        f"Of each analysis the background of its training and the method with the highest mean AUC, {ERRORS}",
        head,
        rows,
    )
    return [Section("analyses", "Analyses", [table, Text([DIFFERENT, READ_ME, *NOTES], "note")])]


def _signals(findings: Findings) -> str:
    """Name the signals of an analysis, or say how many there are and where."""
    points: Mapping[str, Point] = {row.signal: row.point for row in of_training(findings.rows)}
    if len(points) <= NAMED:
        return ", ".join(points)
    settings, words = findings.titles.heatmap, []
    for axis in axes_of(points.values()):
        values = sorted({point[axis] for point in points.values() if axis in point})
        unit = f" {settings.unit(axis)}" if settings.unit(axis) else ""
        span = f"{values[0]:g} to {values[-1]:g}" if len(values) > 1 else f"{values[0]:g}"
        words.append(f"{axis} {span}{unit}")
    return ": ".join([f"{len(points)} signals", *([", ".join(words)] if words else [])])


def matrix_section(run: Run) -> list[Section]:
    """Return the matrix of trainings and backgrounds; nothing where the run makes none."""
    if not run.matrix:
        return []
    matrix = matrix_of(run.matrix)
    backgrounds = backgrounds_of(next(iter(matrix.values())))
    rows = []
    for signal, trainings in matrix.items():
        for training, cells in trainings.items():
            lowest = worst(cells)
            last = number(lowest, f"{lowest:.3f}")
            found = [number(cells[name].mean, str(cells[name])) for name in backgrounds]
            rows.append([Cell(training.method), Cell(training.background), Cell(signal), *found, last])
    head = ["method", "trained on", "signal", *(f"against {name}" for name in backgrounds), "worst background"]
    blocks: list[Block] = []
    if run.matrix_figure is not None:
        shown = next(iter(matrix))
        caption = f"AUC by what a method was trained on, against each background; signal: {shown}."
        alternative = f"AUC of each training against each background for {shown}; the numbers are in the table."
        blocks.append(Gallery([Picture(run.matrix_figure, caption, alternative, wide=True)]))
    blocks += [
        Table("AUC of each training against each background", head, rows),
        Text([NOTE.replace("`", '"')], "note"),
    ]
    return [Section("matrix", "Trainings and backgrounds", blocks)]
