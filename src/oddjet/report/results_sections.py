"""What the report says of an analysis in numbers: a summary, the leaderboard, and the AUC by signal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from oddjet.axes import axes_of
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import TOGETHER, by_background, in_words, of_training
from oddjet.evaluation.grid import NO_BASELINE, GridRow, worst_background
from oddjet.evaluation.leaderboard_table import DIFFERENCE, NOTE, SUPERVISED
from oddjet.evaluation.merit_summary import EXPLANATION, shown_merits
from oddjet.evaluation.summary import average_over_grid, average_over_seeds, check_same_jets
from oddjet.report.blocks import ERRORS, auc_in_words, merit_mean, number, pictures
from oddjet.report.findings import Findings
from oddjet.report.html import Block, Cell, Section, Table, Text
from oddjet.report.markdown import with_errors

READ_ME = (
    "AUC is the probability that a signal jet scores higher than a background jet; it is never flipped, and 0.5 is "
    "no separation. Every method is trained, and its epoch chosen, on background alone. Columns are sorted by a "
    "click on their heads."
)
# What holds of every leaderboard.
NOTES = (NOTE, EXPLANATION)


def results_sections(findings: Findings, notes: Sequence[str] = ()) -> list[Section]:
    """Return the sections of an analysis with its numbers.

    Parameters
    ----------
    findings
        What is said of it.
    notes
        Words below its leaderboard that are the same for every analysis.

    Raises
    ------
    EvaluationError
        Methods rest on different jets, or rows are missing.
    """
    counts = check_same_jets([*of_training(findings.rows), *findings.ceilings])
    return [
        Section("summary", "Summary", [Text([_summary(findings, counts)], "lead")]),
        Section("leaderboard", "Leaderboard", _leaderboard(findings, notes)),
        Section("grid", "AUC by signal", _grid(findings)),
    ]


def best_of(findings: Findings) -> GridRow | None:
    """Return the row with the highest mean AUC against the background of the training; None if no method has one."""
    known = [row for row in of_training(findings.grid) if not math.isnan(row.auc)]
    return max(known, key=lambda row: row.auc, default=None)


def _summary(findings: Findings, counts: Mapping[str, tuple[int, int]]) -> str:
    first = of_training(findings.grid)
    best = best_of(findings)
    background = next(iter(counts.values()))[1]
    of_what = "" if not first or first[0].background == TOGETHER else f" of {first[0].background}"
    size = f"{len(counts)} signal{'s' if len(counts) > 1 else ''} and {background} background test jets{of_what}"
    if best is None:
        return f"No method has an AUC at every signal: {size}."
    title = findings.titles(best.method)
    text = f"Of {len(first)} methods {title} has the highest mean AUC, {auc_in_words(best)}, over {size}."
    if len(first) == 1:
        text = f"The one method, {title}, has a mean AUC of {auc_in_words(best)} over {size}."
    if best.reference not in (NO_BASELINE, best.method):
        paired = with_errors(best.difference, best.difference_error, form="+.3f")
        text += f" That is {paired} against the best baseline, {findings.titles(best.reference)}."
    elif best.reference == best.method and findings.epochs:
        text += " It is a baseline: no trained method does better on these jets."
    if len(by_background(findings.grid)) > 1:
        text += _worst_in_words(findings)
    ceilings = average_over_grid(findings.ceilings)
    if ceilings:
        name, top = max(ceilings.items(), key=lambda item: item[1].mean)
        text += f" Supervised trees reach {top.mean:.3f} on the same features ({name.replace('_', ' ')})."
    return text


def _worst_in_words(findings: Findings) -> str:
    """Say which method is best against the background that suits it least."""
    worst = {row.method: worst_background(findings.grid, row.method) for row in findings.grid}
    known = {method: row for method, row in worst.items() if row is not None}
    if not known:
        return ""
    method, row = max(known.items(), key=lambda item: item[1].auc)
    which = "the highest" if len(worst) > 1 else "a"
    return (
        f" Against the background that suits it least, {findings.titles(method)} has {which} mean AUC of "
        f"{row.auc:.3f} ({row.background}). A score that is trained on one background finds others as well as signal."
    )


def _leaderboard(findings: Findings, common: Sequence[str]) -> list[Block]:
    known = {name: title for name, title in shown_merits(findings.merits).items() if name != "auc"}
    reference = next((row.reference for row in findings.grid if row.reference != NO_BASELINE), None)
    against = [] if reference is None else [f"minus {findings.titles(reference)}"]
    others = list(by_background(findings.grid))[1:]
    ordered = sorted(of_training(findings.grid), key=lambda row: -1.0 if math.isnan(row.auc) else row.auc, reverse=True)
    table = []
    for row in ordered:
        own = [merit for merit in findings.merits if merit.method == row.method]
        cells = [Cell(findings.titles(row.method)), Cell(str(row.seeds), row.seeds), number(row.auc, auc_in_words(row))]
        if against:
            paired = with_errors(row.difference, row.difference_error, form="+.3f")
            cells.append(number(row.difference, paired))
        cells += _other_backgrounds(findings.grid, row.method, others)
        cells += [merit_mean([merit for merit in own if merit.merit == name]) for name in known]
        table.append(cells)
    for name, mean in average_over_grid(findings.ceilings).items():
        text = with_errors(mean.mean, mean.statistical)
        cells = [Cell(f"{name.replace('_', ' ')} (no anomaly method)"), Cell(str(mean.seeds), mean.seeds)]
        more = [*against, *others, *(["worst"] if others else []), *known]
        table.append([*cells, number(mean.mean, text), *(Cell("") for _ in more)])
    worst = [*(f"against {name}" for name in others), "worst background"] if others else []
    head = ["method", "seeds", f"mean AUC{_against(ordered)}", *against, *worst, *known.values()]
    notes = [] if reference is None else [DIFFERENCE.format(reference=findings.titles(reference))]
    notes += [SUPERVISED.replace("Rows in italics are supervised:", "Supervised rows are")] if findings.ceilings else []
    caption = (
        f"All methods by their mean AUC over the grid, {ERRORS}.",
        "Mean AUC of all methods; the numbers are in the table.",
    )
    return [
        Table("All methods, means over the grid and the seeds", head, table),
        *pictures(findings.figures, {"leaderboard": caption}, wide=True),
        Text([*notes, *common], "note"),
    ]


def _against(rows: Sequence[GridRow]) -> str:
    return "" if not rows or rows[0].background == TOGETHER else f" against {rows[0].background}"


def _other_backgrounds(rows: Sequence[GridRow], method: str, others: Sequence[str]) -> list[Cell]:
    """Return the mean AUCs against other backgrounds than that of the training, and the lowest of all."""
    if not others:
        return []
    own = {row.background: row for row in rows if row.method == method}
    worst = worst_background(rows, method)
    last = Cell("-") if worst is None else Cell(f"{worst.auc:.3f} ({worst.background})", worst.auc)
    return [*(number(own[name].auc, auc_in_words(own[name])) for name in others), last]


def _grid(findings: Findings) -> list[Block]:
    backgrounds = by_background(findings.rows)
    tables = [_grid_table(findings, name, own, many=len(backgrounds) > 1) for name, own in backgrounds.items()]
    wanted = {}
    for name, by_signal in average_over_seeds(of_training(findings.rows)).items():
        found = {signal: one.mean for signal, one in by_signal.items() if not math.isnan(one.mean)}
        low, high = (choose(found, key=found.__getitem__) if found else "" for choose in (min, max))
        words = f"from {found[low]:.2f} ({low}) to {found[high]:.2f} ({high})" if found else "none"
        title = findings.titles(name)
        wanted[f"auc_heatmap_{name}"] = (f"{title}: AUC by signal, {ERRORS}.", f"AUC of {title} by signal: {words}.")
    return [*pictures(findings.figures, wanted), *tables]


def _grid_table(findings: Findings, background: str, rows: Sequence[AucRow], *, many: bool) -> Table:
    """Return the AUCs against one background, method by signal."""
    cells, counts = average_over_seeds(rows), check_same_jets(rows)
    points = {row.signal: row.point for row in rows}
    axes = axes_of(points.values())
    head = ["signal", *map(findings.titles.heatmap.head, axes), "jets", *(findings.titles(name) for name in cells)]
    table = [
        [
            Cell(name),
            *(number(points[name].get(axis, math.nan), f"{points[name].get(axis, math.nan):g}") for axis in axes),
            Cell(str(jets), jets),
            *(number(by_signal[name].mean, str(by_signal[name])) for by_signal in cells.values()),
        ]
        for name, (jets, _) in counts.items()
    ]
    what = f", against {in_words(background)}" if many or background != TOGETHER else ""
    return Table(f"AUC of each method and signal, mean over the seeds{what}", head, table)
