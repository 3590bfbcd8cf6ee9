"""What the report shows of an analysis: its features, scores, trainings, and what a cut on a score sculpts."""

from __future__ import annotations

from oddjet.evaluation.backgrounds import of_training
from oddjet.report.blocks import merit_mean, pictures
from oddjet.report.findings import Findings
from oddjet.report.html import Block, Cell, Section, Table, Text

_FEATURES = (
    "What the models see, before scaling. Filled: test background; lines: signals, points: data, each of unit area.",
    "Histograms of the features of background and signal jets.",
)


def figure_sections(findings: Findings) -> list[Section]:
    """Return the sections of an analysis with its figures."""
    return [
        Section("features", "Features", pictures(findings.figures, {"features": _FEATURES}, wide=True)),
        Section("scores", "Scores and ROC curves", _scores(findings)),
        Section("trainings", "Trainings", _trainings(findings)),
        Section("sculpting", "Sculpting", _sculpting(findings)),
    ]


def _scores(findings: Findings) -> list[Block]:
    wanted = {
        "roc": ("All methods, the mean of the signals; bands: spread of the seeds.", "ROC curves of all methods.")
    }
    more = {}
    for row in of_training(findings.grid):
        title = findings.titles(row.method)
        words = f"Scores of background and signals, and ROC curves, of {title}; mean AUC {row.auc:.2f}."
        shown = "scores of one seed, ROC curves with the spread of the seeds" if row.seeds > 1 else "scores, ROC curves"
        more[f"scores_{row.method}"] = (f"{title}: {shown}.", words)
    return [*pictures(findings.figures, wanted), *pictures(findings.figures, more, wide=True)]


def _trainings(findings: Findings) -> list[Block]:
    rows = [
        [Cell(findings.titles(method)), Cell(str(seed), seed), Cell(str(epoch), epoch)]
        for method, epochs in findings.epochs.items()
        for seed, epoch in sorted(epochs.items())
    ]
    if not rows:
        return [Text(["No method of this analysis is trained by epochs."])]
    wanted = {}
    for name in findings.epochs:
        title = findings.titles(name)
        wanted[f"training_{name}"] = (f"{title} by epoch.", f"Energies and AUC by epoch of {title}.")
    table = Table("Epoch of each training, chosen on background alone", ["method", "seed", "chosen epoch"], rows)
    return [*pictures(findings.figures, wanted), table]


def _sculpting(findings: Findings) -> list[Block]:
    caption = "Background efficiency of a cut on the score, by jet mass and pT: flat means that nothing is sculpted."
    alternative = "Background efficiency of a cut on the score of each method by mass and pT."
    rows = []
    for row in of_training(findings.grid):
        own = [one for one in findings.merits if (one.method, one.merit) == (row.method, "score_mass_correlation")]
        rows.append([Cell(findings.titles(row.method)), merit_mean(own)])
    table = Table("Rank correlation of score and jet mass on background", ["method", "correlation"], rows)
    return [*pictures(findings.figures, {"sculpting": (caption, alternative)}, wide=True), table]
