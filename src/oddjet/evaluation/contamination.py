"""The contamination scan: what the AUC becomes when a share of the training jets is signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from oddjet.axes import Point
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import of_training
from oddjet.evaluation.summary import SeedAverage, average_over_grid
from oddjet.io.csv import read_rows
from oddjet.report.markdown import markdown_table
from oddjet.titles import Titles

NOTE = """\
Mean AUC over the grid and over seeds ± statistical error (DeLong, averaged over the grid as if fully correlated: an
upper bound) and standard deviation over seeds, in quadrature. So large a share of the training jets is signal; their
number, the scaling, and the validation jets, which are background alone, are the same in all columns. Signal jets are
tested on only if nothing of their event was in any training. This is the one place where signal enters a training; no
other result reads these models.
"""


@dataclass(frozen=True)
class ContaminationRow:
    """One AUC of a method that was trained with a share of signal among its jets."""

    signal_fraction: float
    method: str
    seed: int
    signal: str
    point: Point
    auc: float
    auc_error: float
    n_signal: int
    n_background: int
    background: str = "background"


def scan_rows(arguments: Sequence[str]) -> list[ContaminationRow]:
    """Read AUC tables that are given as `SHARE=FILE`, with the share of signal in the training of each.

    Raises
    ------
    EvaluationError
        For another form.
    TableError
        See `oddjet.io.csv.read_rows`.
    """
    rows = []
    for argument in arguments:
        share, _, path = argument.partition("=")
        try:
            fraction = float(share)
        except ValueError:
            raise EvaluationError(f"--auc: {argument!r} is not SHARE=FILE") from None
        rows += [ContaminationRow(fraction, *astuple(row)) for row in read_rows(Path(path), AucRow)]
    return rows


def scan_averages(rows: Sequence[ContaminationRow]) -> dict[str, dict[float, SeedAverage]]:
    """Average over signals and seeds: method to share of signal to average."""
    averages: dict[str, dict[float, SeedAverage]] = {}
    for fraction in sorted({row.signal_fraction for row in rows}):
        plain = [AucRow(*astuple(row)[1:]) for row in rows if row.signal_fraction == fraction]
        for method, average in average_over_grid(of_training(plain)).items():
            averages.setdefault(method, {})[fraction] = average
    return averages


def write_scan(rows: Sequence[ContaminationRow], titles: Titles | None = None) -> str:
    """Write the scan as Markdown: one row a method, one column a share of signal."""
    titles = titles or Titles()
    averages = scan_averages(rows)
    fractions = sorted({row.signal_fraction for row in rows})
    table = [["method", *(f"{fraction:.4g} signal" for fraction in fractions)]]
    for method, found in averages.items():
        table.append([titles(method), *(str(found[fraction]) if fraction in found else "-" for fraction in fractions)])
    return "\n".join(["# Signal in the training", "", *markdown_table(table), "", NOTE])
