"""The matrix of trainings, backgrounds and signals: methods by what they were trained on and are tested against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from oddjet.axes import Point
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


@dataclass(frozen=True)
class MatrixRow:
    """The AUC of one training against one background for one signal, mean over seeds.

    `error` is the statistical error, `spread` the standard deviation over seeds. `trained_on` is in the words of
    `Training`.
    """

    method: str
    trained_on: str
    signal: str
    point: Point
    background: str
    seeds: int
    auc: float
    error: float
    spread: float
    n_signal: int
    n_background: int

    @property
    def training(self) -> Training:
        """What was trained, and on what."""
        return Training(self.method, self.trained_on)

    @property
    def average(self) -> SeedAverage:
        """AUC with both errors."""
        return SeedAverage(self.auc, self.error, self.spread, self.seeds)


# Signal to training to background to AUC.
Matrix: TypeAlias = Mapping[str, Mapping[Training, Mapping[str, SeedAverage]]]


def matrix_rows(tables: Mapping[Training, Sequence[AucRow]]) -> list[MatrixRow]:
    """Average over seeds.

    Parameters
    ----------
    tables : mapping of Training to sequence of AucRow
        Of one method each, against all backgrounds.

    Raises
    ------
    EvaluationError
        If trainings were tested against other backgrounds, or on other signals, than the first one.
    """
    found: list[MatrixRow] = []
    like: tuple[list[str], list[str]] | None = None
    for training, own in tables.items():
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
            rows = [row for row in own if row.background == background]
            (by_signal,) = average_over_seeds(rows).values()
            first = {row.signal: row for row in reversed(rows)}
            found += [_row(training, first[signal], cell) for signal, cell in by_signal.items()]
    return found


def _row(training: Training, like: AucRow, cell: SeedAverage) -> MatrixRow:
    return MatrixRow(
        training.method,
        training.background,
        like.signal,
        like.point,
        like.background,
        cell.seeds,
        cell.mean,
        cell.statistical,
        cell.spread,
        like.n_signal,
        like.n_background,
    )


def matrix_of(rows: Sequence[MatrixRow]) -> Matrix:
    """Return the AUCs by signal, training and background, in the order of the rows."""
    found: dict[str, dict[Training, dict[str, SeedAverage]]] = {}
    for row in rows:
        found.setdefault(row.signal, {}).setdefault(row.training, {})[row.background] = row.average
    return found


def worst(cells: Mapping[str, SeedAverage]) -> float:
    """Return the lowest AUC over backgrounds; NaN if one of them is."""
    values = [cell.mean for cell in cells.values()]
    return math.nan if any(map(math.isnan, values)) else min(values)


def backgrounds_of(rows: Mapping[Training, Mapping[str, SeedAverage]]) -> list[str]:
    """Return the backgrounds of a signal's trainings, in the order of the first one."""
    return list(next(iter(rows.values()), {}))


def write_matrix(matrix: Matrix) -> str:
    """Write the matrix as Markdown: a table for each signal."""
    lines = ["# AUC by training, background and signal", ""]
    for signal, rows in matrix.items():
        backgrounds = backgrounds_of(rows)
        table = [["method", "trained on", *(f"against {name}" for name in backgrounds), "worst background"]]
        for training, cells in rows.items():
            lowest = worst(cells)
            table.append(
                [*training, *(str(cells[name]) for name in backgrounds), "-" if math.isnan(lowest) else f"{lowest:.3f}"]
            )
        lines += [f"## {signal}", "", *markdown_table(table), ""]
    return "\n".join([*lines, NOTE])
