"""The leaderboard to read: all methods, the best mean AUC first, with every figure of merit beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from oddjet.errors import EvaluationError
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import NO_BASELINE, GridRow, as_averages, difference
from oddjet.evaluation.merit import AucRow
from oddjet.evaluation.merit_summary import EXPLANATION, TITLES, merit_cell
from oddjet.evaluation.summary import SeedAverage, average_over_grid, check_same_jets, gaps, label, legend, markdown

NOTE = """\
AUC: mean over the grid and over seeds ± error of the test jets (bootstrap of events over the whole grid) ± standard
deviation over seeds (- with one seed). Not in these errors: another training sample, and the choice of configurations.
"""
DIFFERENCE = """\
minus {reference}: difference of the mean AUCs ± error of the test jets, from the same replicas on both sides. What
another seed would change is not in it; the standard deviations over seeds say that. {reference} is the baseline with
the highest mean on these test jets: the best of several is a little too high, and the difference a little too low.
"""
SUPERVISED = """\
Rows in italics are supervised: boosted trees that were trained on signal, on other events than they are tested on. They
say what the features hold, are no anomaly methods, and have no rank. Their error is DeLong's, averaged over the grid as
if fully correlated: an upper bound.
"""


def write_leaderboard(
    rows: Sequence[AucRow],
    grid: Sequence[GridRow],
    merits: Sequence[MeritRow],
    ceilings: Sequence[AucRow] = (),
    approximate: Sequence[str] = (),
) -> str:
    """Write the leaderboard as Markdown.

    Parameters
    ----------
    rows : sequence of AucRow
        All methods, seeds and signals.
    grid : sequence of GridRow
        Their means over the grid.
    merits : sequence of MeritRow
        Figures of merit of the same methods.
    ceilings : sequence of AucRow
        Supervised ceilings, on the same test jets.
    approximate : sequence of str
        Methods whose loss is approximate transport; they are labelled so.

    Raises
    ------
    EvaluationError
        If methods rest on different jets, rows come twice, or a supervised row bears the name of a method.
    """
    check_same_jets([*rows, *ceilings])
    methods, supervised = as_averages(grid), average_over_grid(ceilings)
    doubled = sorted(set(methods) & set(supervised))
    if doubled:
        raise EvaluationError(f"{doubled[0]} is the name of a method and of a supervised ceiling; rename the method")
    figures = [merit for merit in TITLES if merit != "auc" and any(row.merit == merit for row in merits)]
    differences = {row.method: difference(row) for row in grid}
    reference = next((row.reference for row in grid if row.reference != NO_BASELINE), None)
    against = [] if reference is None else [f"minus {reference}"]
    table = [["rank", "method", "seeds", TITLES["auc"], *against, *(TITLES[merit] for merit in figures)]]
    for place, (method, mean) in enumerate(_best_first(methods), start=1):
        own = [row for row in merits if row.method == method]
        cells = [merit_cell([row for row in own if row.merit == merit]) for merit in figures]
        rank = "-" if math.isnan(mean.mean) else str(place)
        more = [differences[method] for _ in against]
        table.append([rank, label(method, approximate), str(mean.seeds), _auc(mean), *more, *cells])
    for method, mean in _best_first(supervised):
        empty = ["" for _ in [*against, *figures]]
        table.append(["", f"*{method}*", str(mean.seeds), f"*{_auc(mean)}*", *empty])
    notes = [NOTE, *(DIFFERENCE.format(reference=name) for name in [reference] if name)]
    notes += [SUPERVISED] if supervised else []
    lines = [*markdown(table), "", *gaps(rows), *notes, EXPLANATION, *legend(approximate)]
    return "\n".join(["# Leaderboard, means over the grid", "", *lines])


def _best_first(averages: Mapping[str, SeedAverage]) -> list[tuple[str, SeedAverage]]:
    """Sort by the mean, the highest first; methods without one come last."""
    return sorted(averages.items(), key=lambda item: (math.isnan(item[1].mean), -item[1].mean))


def _auc(mean: SeedAverage) -> str:
    if math.isnan(mean.mean):
        return "-"
    spread = f"{mean.spread:.3f}" if mean.seeds > 1 else "-"
    return f"{mean.mean:.3f} ± {mean.statistical:.3f} ± {spread}"
