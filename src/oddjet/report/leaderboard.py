"""One entry a method for the leaderboard figure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from oddjet.axes import HeatmapSettings, groups_of
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import TOGETHER, by_background, of_training
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow, as_averages, difference
from oddjet.evaluation.merit_summary import average_merit
from oddjet.evaluation.summary import average_over_grid, average_over_seeds, check_same_jets, points_of
from oddjet.plotting.leaderboard import Entry
from oddjet.titles import Titles


def leaderboard_entries(
    rows: Sequence[AucRow],
    merits: Sequence[MeritRow] = (),
    grid: Sequence[GridRow] = (),
    titles: Titles | None = None,
    settings: HeatmapSettings | None = None,
    *,
    supervised: bool = False,
) -> list[Entry]:
    """Average the tables of all methods, against the background of the training.

    Parameters
    ----------
    rows : sequence of AucRow
        All methods, seeds and signals.
    merits : sequence of MeritRow
        Figures of merit; those named `auc_planed` are used. May be empty.
    grid : sequence of GridRow
        Means over the grid of the same methods; of one that is not among them there are AUCs alone (the supervised
        ceilings), and the error is an upper bound.
    titles : Titles
        Of the methods, and of the other backgrounds.
    settings : HeatmapSettings
        Axes of the signals.
    supervised : bool
        Whether these are ceilings.

    Raises
    ------
    EvaluationError
        If the methods were scored on different jets, or rows are missing or come twice.
    """
    titles = titles or Titles()
    against, everywhere = next(iter(by_background(rows)), TOGETHER), grid
    rows, grid = of_training(rows), of_training(grid)
    check_same_jets(rows)
    groups = groups_of(points_of(rows), settings or HeatmapSettings())
    cells, means = average_over_seeds(rows), {**average_over_grid(rows), **as_averages(grid).get(against, {})}
    differences = {row.method: difference(row) for row in grid}
    entries = []
    for method, averages in cells.items():
        by_value: dict[str, float] = {}
        for words, names in groups.items():
            found = [averages[name].mean for name in names if name in averages]
            by_value |= (
                {words if words not in names else titles.sample(words): statistics.fmean(found)} if found else {}
            )
        own = [row for row in merits if row.method == method and row.merit == "auc_planed"]
        planed = average_merit(own) if own else None
        entries.append(
            Entry(
                titles(method),
                means[method].mean,
                means[method].uncertainty,
                by_value,
                None if planed is None else (planed.mean, planed.uncertainty),
                differences.get(method, ""),
                {
                    titles.sample(row.background): row.auc
                    for row in everywhere
                    if row.method == method and row.background not in (against, TOGETHER)
                },
                supervised,
            )
        )
    return entries
