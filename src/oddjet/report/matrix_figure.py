"""The figure of the matrix of trainings and backgrounds, from its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oddjet.errors import EvaluationError
from oddjet.evaluation.matrix import MatrixRow
from oddjet.titles import Titles

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def matrix_figure(
    rows: Sequence[MatrixRow], titles: Titles, label: str, signal: str | None = None
) -> tuple[Figure, str]:
    """Draw the AUC of each training against each background for one signal; return the note below it as well.

    Parameters
    ----------
    rows
        Of all trainings, backgrounds and signals.
    titles
        Of the samples, and the axes of the signals.
    label
        Words above the left corner.
    signal
        Left out: that of the first row.

    Raises
    ------
    EvaluationError
        There is no such signal.
    """
    from oddjet.plotting.matrix import draw_matrix
    from oddjet.report.figures import errors_in_words, jets_of_rows

    names = list(dict.fromkeys(row.signal for row in rows))
    signal = signal or names[0]
    shown = [row for row in rows if row.signal == signal]
    if not shown:
        raise EvaluationError(f"--signal: there is no {signal}; the signals are {', '.join(names)}")
    panels: dict[str, dict[tuple[str, str], tuple[float, float]]] = {}
    for row in shown:
        words = row.method, row.training.in_words(titles)
        cell = row.auc, row.average.uncertainty
        panels.setdefault(f"against {titles.sample(row.background)}", {})[words] = cell
    methods = list(dict.fromkeys(row.method for row in shown))
    columns = list(dict.fromkeys(row.training.in_words(titles) for row in shown))
    where = titles.heatmap.words(shown[0].point) or titles.sample(signal)
    note = f"{jets_of_rows(shown, titles)} {errors_in_words(max(row.seeds for row in shown))}"
    return draw_matrix(panels, methods, columns, where, label), note
