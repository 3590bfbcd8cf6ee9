"""The leaderboard to read: all methods, the best mean AUC first, with every figure of merit beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import TOGETHER, by_background, in_words, of_training
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import NO_BASELINE, GridRow, as_averages, difference, worst_background
from oddjet.evaluation.merit_summary import EXPLANATION, TITLES, merit_cell, shown_merits
from oddjet.evaluation.summary import SeedAverage, average_over_grid, check_same_jets, gaps
from oddjet.report.markdown import markdown_table, with_errors
from oddjet.titles import Titles

NOTE = """\
AUC: mean over the grid and over seeds ± error of the test jets (bootstrap of events over the whole grid) ± standard
deviation over seeds (- with one seed). Not in these errors: another training sample, and the choice of configurations.
"""
AGAINST = """\
Ranks, differences and figures of merit are those against {background}. Worst background: the lowest of the mean AUCs
against single samples. A score that is trained on one background finds others as well as signal: compare methods there.
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
    titles: Titles | None = None,
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
    titles : Titles
        Of the methods; those whose loss is approximate transport are labelled so.

    Raises
    ------
    EvaluationError
        If methods rest on different jets, rows come twice, or a supervised row bears the name of a method.
    """
    titles = titles or Titles()
    backgrounds = list(by_background(grid))
    everywhere, rows, grid = grid, of_training(rows), of_training(grid)
    check_same_jets([*rows, *ceilings])
    methods, supervised = next(iter(as_averages(grid).values())), average_over_grid(ceilings)
    doubled = sorted(set(methods) & set(supervised))
    if doubled:
        raise EvaluationError(f"{doubled[0]} is the name of a method and of a supervised ceiling; rename the method")
    figures = {merit: title for merit, title in shown_merits(merits).items() if merit != "auc"}
    differences = {row.method: difference(row) for row in grid}
    reference = next((row.reference for row in grid if row.reference != NO_BASELINE), None)
    against = [] if reference is None else [f"minus {titles(reference)}"]
    others = [f"AUC against {name}" for name in backgrounds[1:]]
    worst = ["worst background"] if len(backgrounds) > 1 else []
    head = ["rank", "method", "seeds", TITLES["auc"], *against, *others, *worst]
    table = [[*head, *figures.values()]]
    for place, (method, mean) in enumerate(_best_first(methods), start=1):
        own = [row for row in merits if row.method == method]
        cells = [merit_cell([row for row in own if row.merit == merit]) for merit in figures]
        rank = "-" if math.isnan(mean.mean) else str(place)
        more = [differences[method] for _ in against]
        more += [_auc(as_averages(everywhere)[name][method]) for name in backgrounds[1:]]
        more += [_worst(everywhere, method) for _ in worst]
        table.append([rank, titles.in_table(method), str(mean.seeds), _auc(mean), *more, *cells])
    for method, mean in _best_first(supervised):
        empty = ["" for _ in [*against, *others, *worst, *figures]]
        table.append(["", f"*{titles(method)}*", str(mean.seeds), f"*{_auc(mean)}*", *empty])
    notes = [
        NOTE,
        *([AGAINST.format(background=in_words(backgrounds[0]))] if worst else []),
        *(DIFFERENCE.format(reference=titles(name)) for name in [reference] if name),
    ]
    notes += [SUPERVISED] if supervised else []
    lines = [*markdown_table(table), "", *gaps(rows, titles), *notes, EXPLANATION, *titles.notes()]
    against_what = "" if backgrounds[0] == TOGETHER and not worst else f", against {in_words(backgrounds[0])}"
    return "\n".join([f"# Leaderboard, means over the grid{against_what}", "", *lines])


def _best_first(averages: Mapping[str, SeedAverage]) -> list[tuple[str, SeedAverage]]:
    """Sort by the mean, the highest first; methods without one come last."""
    return sorted(averages.items(), key=lambda item: (math.isnan(item[1].mean), -item[1].mean))


def _worst(rows: Sequence[GridRow], method: str) -> str:
    """Write the lowest mean AUC of a method against a single sample, and which one that is."""
    found = worst_background(rows, method)
    return "-" if found is None else f"{found.auc:.3f} ({found.background})"


def _auc(mean: SeedAverage) -> str:
    if math.isnan(mean.mean):
        return "-"
    spread = f"{mean.spread:.3f}" if mean.seeds > 1 else "-"
    return f"{with_errors(mean.mean, mean.statistical)} ± {spread}"
