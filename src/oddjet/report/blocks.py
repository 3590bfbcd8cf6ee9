"""Cells and pictures that several sections of the report show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow
from oddjet.evaluation.merit_summary import merit_cell, over_grid
from oddjet.report.html import Block, Cell, Gallery, Picture
from oddjet.report.markdown import with_errors

ERRORS = "± the error of the test jets and the spread of the seeds"


def auc_in_words(row: GridRow) -> str:
    """Return a mean AUC with the error of the jets and the spread of the seeds, where there are several."""
    spread = f" ± {row.spread:.3f} (seeds)" if row.seeds > 1 else ""
    return f"{with_errors(row.auc, row.error)} (jets){spread}"


def merit_mean(rows: Sequence[MeritRow]) -> Cell:
    """Return one figure of merit of a method, mean over the grid and the seeds."""
    own = over_grid(rows)
    mean = sum(row.value for row in own) / len(own) if own else math.nan
    return number(mean, merit_cell(rows))


def number(value: float, text: str) -> Cell:
    """Return a number in words; a dash where there is none."""
    return Cell(text, value) if math.isfinite(value) else Cell("-")


def pictures(figures: Mapping[str, Path], wanted: Mapping[str, tuple[str, str]], *, wide: bool = False) -> list[Block]:
    """Return those of the pictures that there are, each with its caption and its alternative text."""
    found = [
        Picture(figures[name], caption, alternative, wide)
        for name, (caption, alternative) in wanted.items()
        if name in figures
    ]
    return [Gallery(found)] if found else []
