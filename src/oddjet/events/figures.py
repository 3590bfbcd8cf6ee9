"""What the figures of whole events show, taken from the tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from oddjet.events.merit_tables import CurvePoint, Latency, SetMerit, Summary
from oddjet.events.pages import SIGNAL_TITLES
from oddjet.plotting.events import Cost, Curve
from oddjet.titles import Titles

# The curves of the paper's figures, the SVM by its decision function (labels have no curve), and what to beat.
CURVES = ("ot_2d", "ot_3d", "ot_3d_knn", "ot_3d_svm", "total_pt", "multiplicity")
Summaries = Mapping[tuple[str, str, str], Summary]


def curve_panels(
    points: Sequence[CurvePoint], summaries: Summaries, methods: Sequence[str], kind: str, titles: Titles
) -> dict[str, list[Curve]]:
    """Give the curves of each signal by its title, methods in the given order; those that are not there are left out.

    Parameters
    ----------
    points
        All curves.
    summaries
        Figures of merit: the legend names the AUC ("roc") or the largest SI ("si").
    methods
        Scores to show.
    kind
        "roc" or "si".
    titles
        Of the methods.
    """
    found: dict[tuple[str, str], list[CurvePoint]] = {}
    for point in points:
        found.setdefault((point.signal, point.method), []).append(point)
    panels = {}
    for signal in dict.fromkeys(point.signal for point in points):
        curves = []
        for method in methods:
            if own := found.get((signal, method)):
                merit = summaries[method, signal, "auc" if kind == "roc" else "largest_improvement"].mean
                roc = kind == "roc"
                curves.append(
                    Curve(
                        titles(method),
                        [point.signal_efficiency for point in own],
                        [point.rejected if roc else point.improvement for point in own],
                        [point.rejected_sd if roc else point.improvement_sd for point in own],
                        f", {merit:.3f}" if roc else f", {merit:.2f}",
                    )
                )
        panels[SIGNAL_TITLES.get(signal, signal)] = curves
    return panels


def sets_in_words(merits: Sequence[SetMerit]) -> str:
    """Say on how many test sets, of how many background events each, AUCs rest."""
    auc = [row for row in merits if row.merit == "auc"]
    sets, sizes = len({row.set for row in auc}), sorted({row.n_background for row in auc})
    events = " or ".join(map(str, sizes))
    return f"{sets} test set{'s' if sets > 1 else ''} of {events} background events and as many of a signal."


def costs(rows: Sequence[Latency], summaries: Summaries, titles: Titles) -> list[Cost]:
    """Put the AUC of each score, averaged over signals, beside its cost."""
    shown = []
    for row in rows:
        aucs = [value for (method, _, merit), value in summaries.items() if method == row.method and merit == "auc"]
        if aucs:
            mean = statistics.fmean(value.mean for value in aucs)
            sd = statistics.fmean(value.sd for value in aucs)
            shown.append(Cost(f"{titles(row.method)}{row.what}", row.microseconds, mean, sd))
    return shown
