"""The matrix of trainings, backgrounds and signals: methods by what they were trained on and are tested against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import single
from oddjet.evaluation.summary import SeedAverage, average_over_seeds
from oddjet.report.markdown import markdown_table
from oddjet.titles import Titles

NOTE = """\
AUC ± its uncertainty: statistical error (DeLong) and standard deviation over seeds in quadrature; a minimum has the
former alone. Trained on: a background, all of them together, or `each`: the minimum of the detectors of each one. The
worst background of a row is the lowest of its AUCs. No signal chose anything: all rows that were made are here.
"""


class Training(NamedTuple):
    """What was trained, and on which background, in words."""

    method: str
    background: str

    def in_words(self, titles: Titles) -> str:
        """Return what a figure says the method was trained on: a sample, several of them, or words."""
        return " + ".join(titles.sample(name) for name in self.background.split(" + "))


# Signal to training to background to AUC.
Matrix: TypeAlias = Mapping[str, Mapping[Training, Mapping[str, SeedAverage]]]


def matrix_of(rows: Mapping[Training, Sequence[AucRow]]) -> Matrix:
    """Average over seeds.

    Parameters
    ----------
    rows : mapping of Training to sequence of AucRow
        Of one method each, against all backgrounds.

    Raises
    ------
    EvaluationError
        If trainings were tested against other backgrounds, or on other signals, than the first one.
    """
    found: dict[str, dict[Training, dict[str, SeedAverage]]] = {}
    like: tuple[list[str], list[str]] | None = None
    for training, own in rows.items():
        backgrounds = single(dict.fromkeys(row.background for row in own))
        signals = list(dict.fromkeys(row.signal for row in own))
        if like is None:
            like = sorted(backgrounds), signals
        if like != (sorted(backgrounds), signals):
            raise EvaluationError(
                f"{training.method} trained on {training.background} is tested against {', '.join(backgrounds)} with "
                f"{', '.join(signals)}, others against {', '.join(like[0])} with {', '.join(like[1])}; test all alike"
            )
        for background in backgrounds:
            (by_signal,) = average_over_seeds([row for row in own if row.background == background]).values()
            for signal, cell in by_signal.items():
                found.setdefault(signal, {}).setdefault(training, {})[background] = cell
    return found


def worst(cells: Mapping[str, SeedAverage]) -> float:
    """Return the lowest AUC over backgrounds; NaN if one of them is."""
    values = [cell.mean for cell in cells.values()]
    return math.nan if any(map(math.isnan, values)) else min(values)


def write_matrix(matrix: Matrix) -> str:
    """Write the matrix as Markdown: a table for each signal."""
    lines = ["# AUC by training, background and signal", ""]
    for signal, rows in matrix.items():
        backgrounds = list(next(iter(rows.values())))
        table = [["method", "trained on", *(f"against {name}" for name in backgrounds), "worst background"]]
        for training, cells in rows.items():
            lowest = worst(cells)
            table.append([*training, *map(str, cells.values()), "-" if math.isnan(lowest) else f"{lowest:.3f}"])
        lines += [f"## {signal}", "", *markdown_table(table), ""]
    return "\n".join([*lines, NOTE])
