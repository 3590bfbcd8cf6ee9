"""The leaderboard to read: all methods, the best mean AUC first, with every figure of merit beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oddjet.evaluation.merit_summary import EXPLANATION, TITLES, merit_cell
from oddjet.evaluation.summary import (
    SeedAverage,
    SummaryError,
    average_over_grid,
    check_same_jets,
    label,
    legend,
    markdown,
)
from oddjet.evaluation.tables import AucRow, MeritRow

NOTE = """\
AUC: mean over the grid and over seeds ± statistical error (DeLong) ± standard deviation over seeds (- with one seed).
Rows in italics are supervised: boosted trees that were trained on signal, on other events than they are tested on. They
say what the features hold, are no anomaly methods, and have no rank.
"""


def write_leaderboard(
    rows: Sequence[AucRow],
    merits: Sequence[MeritRow],
    ceilings: Sequence[AucRow] = (),
    approximate: Sequence[str] = (),
) -> str:
    """Write the leaderboard as Markdown.

    Parameters
    ----------
    rows : sequence of AucRow
        All methods, seeds and signals.
    merits : sequence of MeritRow
        Figures of merit of the same methods.
    ceilings : sequence of AucRow
        Supervised ceilings, on the same test jets.
    approximate : sequence of str
        Methods whose loss is approximate transport; they are labelled so.

    Raises
    ------
    SummaryError
        If methods rest on different jets, rows come twice, or a supervised row bears the name of a method.
    """
    check_same_jets([*rows, *ceilings])
    methods, supervised = average_over_grid(rows), average_over_grid(ceilings)
    doubled = sorted(set(methods) & set(supervised))
    if doubled:
        raise SummaryError(f"{doubled[0]} is the name of a method and of a supervised ceiling; rename the method")
    figures = [merit for merit in TITLES if merit != "auc" and any(row.merit == merit for row in merits)]
    table = [["rank", "method", "seeds", TITLES["auc"], *(TITLES[merit] for merit in figures)]]
    for place, (method, grid) in enumerate(_best_first(methods), start=1):
        own = [row for row in merits if row.method == method]
        cells = [merit_cell([row for row in own if row.merit == merit]) for merit in figures]
        table.append([str(place), label(method, approximate), str(grid.seeds), _auc(grid), *cells])
    for method, grid in _best_first(supervised):
        table.append(["", f"*{method}*", str(grid.seeds), f"*{_auc(grid)}*", *("" for _ in figures)])
    return "\n".join(
        ["# Leaderboard, means over the grid", "", *markdown(table), "", NOTE, EXPLANATION, *legend(approximate)]
    )


def _best_first(averages: Mapping[str, SeedAverage]) -> list[tuple[str, SeedAverage]]:
    return sorted(averages.items(), key=lambda item: -item[1].mean)


def _auc(grid: SeedAverage) -> str:
    spread = f"{grid.spread:.3f}" if grid.seeds > 1 else "-"
    return f"{grid.mean:.3f} ± {grid.statistical:.3f} ± {spread}"
