"""What the report of an analysis says, from its tables: every number stands in one of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from oddjet.axes import axes_of
from oddjet.benchmarks import Cost
from oddjet.errors import TableError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import TOGETHER, by_background, in_words, of_training
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import NO_BASELINE, GridRow, worst_background
from oddjet.evaluation.leaderboard_table import DIFFERENCE, NOTE, SUPERVISED
from oddjet.evaluation.merit_summary import EXPLANATION, merit_cell, over_grid, shown_merits
from oddjet.evaluation.summary import average_over_grid, average_over_seeds, check_same_jets
from oddjet.io.cutflow import CLAUSE
from oddjet.report.html import Block, Cell, Code, Gallery, Page, Picture, Section, Table, Text
from oddjet.report.markdown import with_errors
from oddjet.titles import Titles

STAGES = {
    "events_read": "events read",
    "events_bad_candidate": "bad candidate",
    "events_bad_jet": "bad stored jet",
    "events_bad_particle": "bad generator particle",
    "events_not_certified": "not certified",
    "events_cut": "cut on events",
    "events_without_candidates": "no candidate",
    "events_without_selected_jet": "no jet left",
    "events_passed": "events passed",
    "jets_clustered": "jets clustered",
    "jets_pt_low": "pT too low",
    "jets_pt_high": "pT too high",
    "jets_eta": "|eta| too large",
    "jets_rank": "not leading",
    "jets_unmatched": "no match",
    "jets_not_in_file": "no jet of the file",
    "jets_cut": "cut on jets",
    "jets_passed": "jets passed",
    "luminosity_blocks_read": "blocks read",
    "luminosity_blocks_certified": "blocks certified",
}


@dataclass(frozen=True)
class Findings:
    """All that a report is made from.

    Attributes
    ----------
    analysis : str
    rows, grid, merits, ceilings
        Rows of the tables of the analysis.
    epochs : mapping of str to mapping of int to int
        Trained method to seed to chosen epoch.
    cutflow : mapping of str to list of (str, number)
        Sample to what became of its events and jets.
    bad_files : mapping of str to list of mappings
        Sample to its skipped files with `path` and `reason`.
    figures : mapping of str to Path
        Name without suffix to PNG file.
    costs : sequence of Cost
        Of the jobs of this analysis; may be empty.
    record : mapping
        Origin of the leaderboard: versions, digests, processor.
    configuration : mapping or None
        All values of the configuration, where the results folder knows them.
    titles : Titles
        Of the methods, and units of the axes.
    """

    analysis: str
    rows: Sequence[AucRow]
    grid: Sequence[GridRow]
    merits: Sequence[MeritRow]
    ceilings: Sequence[AucRow]
    epochs: Mapping[str, Mapping[int, int]]
    cutflow: Mapping[str, Sequence[tuple[str, float]]]
    bad_files: Mapping[str, Sequence[Mapping[str, Any]]]
    figures: Mapping[str, Path]
    costs: Sequence[Cost] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] | None = None
    titles: Titles = field(default_factory=Titles)


def report_page(findings: Findings) -> Page:
    """Return the page of an analysis.

    Raises
    ------
    EvaluationError
        Methods rest on different jets, or rows are missing.
    """
    counts = check_same_jets([*of_training(findings.rows), *findings.ceilings])
    sections = [
        Section("summary", "Summary", [Text([_summary(findings, counts)], "lead"), Text([_read_me()], "note")]),
        Section("leaderboard", "Leaderboard", _leaderboard(findings)),
        Section("grid", "AUC by signal", _grid(findings)),
        Section("input", "What was read", _input(findings)),
        Section("features", "Features", _pictures(findings, {"features": _FEATURES}, wide=True)),
        Section("scores", "Scores and ROC curves", _scores(findings)),
        Section("trainings", "Trainings", _trainings(findings)),
        Section("sculpting", "Sculpting", _sculpting(findings)),
        Section("settings", "Settings", _settings(findings)),
        Section("origin", "Versions and digests", _origin(findings)),
        Section("cost", "Time and memory", _costs(findings)),
    ]
    version = findings.record.get("oddjet_version", "unknown")
    return Page(
        f"oddjet: {findings.analysis}", f"Report of the analysis {findings.analysis}, oddjet {version}", sections
    )


_FEATURES = (
    "What the models see, before scaling. Filled: test background; lines: signals, points: data, each of unit area.",
    "Histograms of the features of background and signal jets.",
)


_ERRORS = "± the error of the test jets and the spread of the seeds"


def _read_me() -> str:
    return (
        "AUC is the probability that a signal jet scores higher than a background jet; it is never flipped, and 0.5 is "
        "no separation. Every method is trained, and its epoch chosen, on background alone. Columns are sorted by a "
        "click on their heads."
    )


def _summary(findings: Findings, counts: Mapping[str, tuple[int, int]]) -> str:
    first = of_training(findings.grid)
    known = [row for row in first if not math.isnan(row.auc)]
    background = next(iter(counts.values()))[1]
    of_what = "" if not first or first[0].background == TOGETHER else f" of {first[0].background}"
    size = f"{len(counts)} signal{'s' if len(counts) > 1 else ''} and {background} background test jets{of_what}"
    if not known:
        return f"No method has an AUC at every signal: {size}."
    best = max(known, key=lambda row: row.auc)
    title = findings.titles(best.method)
    text = f"Of {len(first)} methods {title} has the highest mean AUC, {_value(best)}, over {size}."
    if best.reference not in (NO_BASELINE, best.method):
        paired = with_errors(best.difference, best.difference_error, form="+.3f")
        text += f" That is {paired} against the best baseline, {findings.titles(best.reference)}."
    elif best.reference == best.method:
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
    return (
        f" Against the background that suits it least, {findings.titles(method)} has the highest mean AUC: "
        f"{row.auc:.3f} ({row.background}). A score that is trained on one background finds others as well as signal."
    )


def _value(row: GridRow) -> str:
    spread = f" ± {row.spread:.3f} (seeds)" if row.seeds > 1 else ""
    return f"{with_errors(row.auc, row.error)} (jets){spread}"


def _leaderboard(findings: Findings) -> list[Block]:
    known = {name: title for name, title in shown_merits(findings.merits).items() if name != "auc"}
    reference = next((row.reference for row in findings.grid if row.reference != NO_BASELINE), None)
    against = [] if reference is None else [f"minus {findings.titles(reference)}"]
    others = list(by_background(findings.grid))[1:]
    ordered = sorted(of_training(findings.grid), key=lambda row: -1.0 if math.isnan(row.auc) else row.auc, reverse=True)
    table = []
    for row in ordered:
        own = [merit for merit in findings.merits if merit.method == row.method]
        cells = [Cell(findings.titles(row.method)), Cell(str(row.seeds), row.seeds), _cell(row.auc, _value(row))]
        if against:
            paired = with_errors(row.difference, row.difference_error, form="+.3f")
            cells.append(_cell(row.difference, paired))
        cells += _other_backgrounds(findings.grid, row.method, others)
        cells += [_merit([merit for merit in own if merit.merit == name]) for name in known]
        table.append(cells)
    for name, mean in average_over_grid(findings.ceilings).items():
        text = with_errors(mean.mean, mean.statistical)
        cells = [Cell(f"{name.replace('_', ' ')} (no anomaly method)"), Cell(str(mean.seeds), mean.seeds)]
        more = [*against, *others, *(["worst"] if others else []), *known]
        table.append([*cells, _cell(mean.mean, text), *(Cell("") for _ in more)])
    worst = [*(f"against {name}" for name in others), "worst background"] if others else []
    head = ["method", "seeds", f"mean AUC{_against(ordered)}", *against, *worst, *known.values()]
    notes = [NOTE, *([] if reference is None else [DIFFERENCE.format(reference=findings.titles(reference))])]
    notes += [SUPERVISED.replace("Rows in italics are supervised:", "Supervised rows are")] if findings.ceilings else []
    caption = (
        f"All methods by their mean AUC over the grid, {_ERRORS}.",
        "Mean AUC of all methods; the numbers are in the table.",
    )
    return [
        Table("All methods, means over the grid and the seeds", head, table),
        *_pictures(findings, {"leaderboard": caption}, wide=True),
        Text([*notes, EXPLANATION], "note"),
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
    return [*(_cell(own[name].auc, _value(own[name])) for name in others), last]


def _merit(rows: Sequence[MeritRow]) -> Cell:
    own = over_grid(rows)
    mean = sum(row.value for row in own) / len(own) if own else math.nan
    return _cell(mean, merit_cell(rows))


def _cell(value: float, text: str) -> Cell:
    return Cell(text, value) if math.isfinite(value) else Cell("-")


def _grid(findings: Findings) -> list[Block]:
    backgrounds = by_background(findings.rows)
    tables = [_grid_table(findings, name, own, many=len(backgrounds) > 1) for name, own in backgrounds.items()]
    pictures = {}
    for name, by_signal in average_over_seeds(of_training(findings.rows)).items():
        found = {signal: one.mean for signal, one in by_signal.items() if not math.isnan(one.mean)}
        low, high = (choose(found, key=found.__getitem__) if found else "" for choose in (min, max))
        words = f"from {found[low]:.2f} ({low}) to {found[high]:.2f} ({high})" if found else "none"
        title = findings.titles(name)
        pictures[f"auc_heatmap_{name}"] = (f"{title}: AUC by signal, {_ERRORS}.", f"AUC of {title} by signal: {words}.")
    return [*_pictures(findings, pictures), *tables]


def _grid_table(findings: Findings, background: str, rows: Sequence[AucRow], *, many: bool) -> Table:
    """Return the AUCs against one background, method by signal."""
    cells, counts = average_over_seeds(rows), check_same_jets(rows)
    points = {row.signal: row.point for row in rows}
    axes = axes_of(points.values())
    head = ["signal", *map(findings.titles.heatmap.head, axes), "jets", *(findings.titles(name) for name in cells)]
    table = [
        [
            Cell(name),
            *(_cell(points[name].get(axis, math.nan), f"{points[name].get(axis, math.nan):g}") for axis in axes),
            Cell(str(jets), jets),
            *(_cell(by_signal[name].mean, str(by_signal[name])) for by_signal in cells.values()),
        ]
        for name, (jets, _) in counts.items()
    ]
    what = f", against {in_words(background)}" if many or background != TOGETHER else ""
    return Table(f"AUC of each method and signal, mean over the seeds{what}", head, table)


def _input(findings: Findings) -> list[Block]:
    stages = _stages(findings)
    rows = [
        [
            Cell(sample),
            *(Cell(f"{counts[name]:g}", counts[name]) if name in counts else Cell("-") for name in stages),
        ]
        for sample, counts in ((sample, dict(flow)) for sample, flow in findings.cutflow.items())
    ]
    head = ["sample", *stages.values()]
    blocks: list[Block] = [Table("What became of every event and jet", head, rows)]
    bad = [
        [Cell(sample), Cell(str(file["path"])), Cell(str(file["reason"]))]
        for sample, files in findings.bad_files.items()
        for file in files
    ]
    if bad:
        return [*blocks, Table("Skipped files", ["sample", "file", "reason"], bad)]
    return [*blocks, Text(["No file was skipped."])]


def _stages(findings: Findings) -> dict[str, str]:
    """Return the counts of all cutflows in the order of the cuts, and their words; a clause is a count of its own."""
    names = list(dict.fromkeys(name for flow in findings.cutflow.values() for name, _ in flow))
    stages = {}
    for kind, words in STAGES.items():
        for name in names:
            start, _, clause = name.partition(CLAUSE)
            if start == kind:
                stages[name] = f"{words}: {clause}" if clause else words
    return stages


def _scores(findings: Findings) -> list[Block]:
    pictures = {
        "roc": ("All methods, the mean of the signals; bands: spread of the seeds.", "ROC curves of all methods.")
    }
    more = {}
    for row in of_training(findings.grid):
        title = findings.titles(row.method)
        words = f"Scores of background and signals, and ROC curves, of {title}; mean AUC {row.auc:.2f}."
        shown = "scores of one seed, ROC curves with the spread of the seeds" if row.seeds > 1 else "scores, ROC curves"
        more[f"scores_{row.method}"] = (f"{title}: {shown}.", words)
    return [*_pictures(findings, pictures), *_pictures(findings, more, wide=True)]


def _trainings(findings: Findings) -> list[Block]:
    rows = [
        [Cell(findings.titles(method)), Cell(str(seed), seed), Cell(str(epoch), epoch)]
        for method, epochs in findings.epochs.items()
        for seed, epoch in sorted(epochs.items())
    ]
    if not rows:
        return [Text(["No method of this analysis is trained by epochs."])]
    pictures = {}
    for name in findings.epochs:
        title = findings.titles(name)
        pictures[f"training_{name}"] = (f"{title} by epoch.", f"Energies and AUC by epoch of {title}.")
    table = Table("Epoch of each training, chosen on background alone", ["method", "seed", "chosen epoch"], rows)
    return [*_pictures(findings, pictures), table]


def _sculpting(findings: Findings) -> list[Block]:
    caption = "Background efficiency of a cut on the score, by jet mass and pT: flat means that nothing is sculpted."
    alternative = "Background efficiency of a cut on the score of each method by mass and pT."
    rows = []
    for row in of_training(findings.grid):
        own = [one for one in findings.merits if (one.method, one.merit) == (row.method, "score_mass_correlation")]
        rows.append([Cell(findings.titles(row.method)), _merit(own)])
    table = Table("Rank correlation of score and jet mass on background", ["method", "correlation"], rows)
    return [*_pictures(findings, {"sculpting": (caption, alternative)}, wide=True), table]


def _settings(findings: Findings) -> list[Block]:
    if findings.configuration is None:
        return [Text(["The results folder holds no run.json, which has the configuration."])]
    text = yaml.safe_dump(dict(findings.configuration), sort_keys=False, allow_unicode=True)
    return [Code("The whole configuration, with all defaults", text)]


def _origin(findings: Findings) -> list[Block]:
    try:
        packages = json.loads(findings.record["packages"])
        inputs = json.loads(findings.record["inputs"])
        facts = [
            [Cell(name), Cell(str(findings.record[name]))] for name in ("oddjet_version", "code_digest", "processor")
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(
            f"the origin of leaderboard.csv cannot be read ({error!r}); make the leaderboard again"
        ) from error
    facts += [[Cell(name), Cell(str(version))] for name, version in packages.items()]
    digests = [[Cell(name), Cell(digest)] for name, digest in inputs.items()]
    return [
        Table("Versions that made the leaderboard", ["what", "version"], facts),
        Table("SHA-256 of the tables that it was made from", ["file", "SHA-256"], digests, folded=True),
    ]


def _costs(findings: Findings) -> list[Block]:
    if not findings.costs:
        return [Text(["The results folder holds no benchmarks of this analysis."])]
    rows = [
        [
            Cell(cost.rule),
            Cell(str(cost.jobs), cost.jobs),
            Cell(f"{cost.seconds:.1f}", cost.seconds),
            Cell(f"{cost.processor:.1f}", cost.processor),
            Cell(f"{cost.memory:.0f}", cost.memory),
        ]
        for cost in findings.costs
    ]
    head = ["rule", "jobs", "wall time [s]", "processor time [s]", "largest memory [MB]"]
    return [Table("What the jobs of each rule took the last time that they ran", head, rows)]


def _pictures(findings: Findings, wanted: Mapping[str, tuple[str, str]], *, wide: bool = False) -> list[Block]:
    """Return those of the pictures that there are, each with its caption and its alternative text."""
    found = [
        Picture(findings.figures[name], caption, alternative, wide)
        for name, (caption, alternative) in wanted.items()
        if name in findings.figures
    ]
    return [Gallery(found)] if found else []
