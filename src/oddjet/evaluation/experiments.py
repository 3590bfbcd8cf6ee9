"""Experiments side by side: what chose their epochs, how they fit the background, AUC, its spread and its stability."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import of_training
from oddjet.evaluation.history import NEGATIVES, SHUFFLED, Curves, EpochAucRow, SnapshotRow
from oddjet.report.markdown import markdown_table, with_errors
from oddjet.titles import Titles

EXPLANATION = """\
Selection: the validation metric at the chosen epochs (W2^2 in the method's own coordinates; mean over seeds). W: of
as many negatives of the chosen models and jets as in validation, in the coordinates of the dataset. Shuffled: AUC of
validation jets with each feature permuted for itself; together: that of the ensemble. AUC: mean over the grid and the
seeds, on test jets, ± standard deviation over seeds. Ensemble: AUC of the mean over seeds of the energies, each divided
by its deviation on the validation background after its mean was taken off. Last quarter: largest minus smallest AUC
(mean over the grid) among the snapshots of the last quarter of the training, on validation jets, of the worst seed;
point: the same for single grid points.
"""


@dataclass(frozen=True)
class Experiment:
    """One line of the table; None where a method has no such number."""

    method: str
    seeds: int
    selection: float | None
    distance: float | None
    shuffled: float | None
    shuffled_ensemble: float | None
    auc: float
    spread: float
    aucs: str
    ensemble: float
    last_quarter: float | None
    last_quarter_point: float | None


def summarise(
    auc: Sequence[AucRow],
    ensemble: float,
    fit: Sequence[SnapshotRow] = (),
    epochs: Sequence[EpochAucRow] = (),
    chosen: Mapping[int, float] | None = None,
) -> Experiment:
    """Make the line of one method.

    Parameters
    ----------
    auc : sequence of AucRow
        On test jets; those against the background of the training count.
    ensemble : float
        From `oddjet.evaluation.ensembles.ensemble_auc`, mean over the grid.
    fit : sequence of SnapshotRow
        From `measure_fit`.
    epochs : sequence of EpochAucRow
        Of a training; none for a baseline.
    chosen : mapping of int to float, optional
        Seed to the validation metric at its chosen epoch.
    """
    by_seed: dict[int, list[float]] = defaultdict(list)
    for row in of_training(auc):
        by_seed[row.seed].append(row.auc)
    means = [statistics.fmean(by_seed[seed]) for seed in sorted(by_seed)]
    distances = [row.value for row in fit if (row.sample, row.quantity) == (NEGATIVES, "distance_to_background")]
    shuffled = [row.value for row in fit if (row.sample, row.quantity) == (SHUFFLED, "auc")]
    together = [row.value for row in fit if row.quantity == "ensemble_auc"]
    over_grid, over_points = last_quarter(epochs)
    return Experiment(
        method=auc[0].method,
        seeds=len(means),
        selection=statistics.fmean(chosen.values()) if chosen else None,
        distance=statistics.fmean(distances) if distances else None,
        shuffled=statistics.fmean(shuffled) if shuffled else None,
        shuffled_ensemble=statistics.fmean(together) if together else None,
        auc=statistics.fmean(means),
        spread=statistics.stdev(means) if len(means) > 1 else 0.0,
        aucs=" ".join(f"{mean:.3f}" for mean in means),
        ensemble=ensemble,
        last_quarter=over_grid,
        last_quarter_point=over_points,
    )


def last_quarter(rows: Sequence[EpochAucRow]) -> tuple[float | None, float | None]:
    """Largest minus smallest AUC in the last quarter of a training, of the worst seed: mean over the grid, and a point.

    The last quarter are the snapshots after three quarters of the epochs; None without at least two of them.
    """
    if not rows:
        return None, None
    after = 0.75 * max(row.epoch for row in rows)
    values: dict[tuple[int, str], list[float]] = defaultdict(list)
    means: dict[tuple[int, int], list[float]] = defaultdict(list)
    for row in rows:
        if row.epoch > after:
            values[row.seed, row.signal].append(row.auc)
            means[row.seed, row.epoch].append(row.auc)
    by_seed: dict[int, list[float]] = defaultdict(list)
    for (seed, _), aucs in means.items():
        by_seed[seed].append(statistics.fmean(aucs))
    if min(map(len, by_seed.values())) < 2:
        return None, None
    return max(max(v) - min(v) for v in by_seed.values()), max(max(v) - min(v) for v in values.values())


def chosen_values(history: Mapping[str, Curves], epochs: Mapping[int, int]) -> dict[int, float]:
    """Take the validation W, or E+ where there is no W, at each seed's chosen epoch."""
    curves = history.get("wasserstein_validation") or history["positive_energy_validation"]
    return {seed: dict(zip(*curves[seed], strict=True))[epoch] for seed, epoch in epochs.items()}


def to_markdown(rows: Iterable[Experiment], titles: Titles | None = None) -> str:
    """Write the table for people; methods whose loss is approximate transport (Sinkhorn's) are labelled so."""
    titles = titles or Titles()
    head = "method, seeds, selection, W, shuffled, together, AUC, by seed, ensemble, last quarter, point"
    table = [head.split(", ")]
    for row in rows:
        numbers = [row.selection, row.distance, row.shuffled, row.shuffled_ensemble]
        cells = ["" if value is None else f"{value:.3f}" for value in numbers]
        cells += [with_errors(row.auc, row.spread), row.aucs, f"{row.ensemble:.3f}"]
        cells += ["" if value is None else f"{value:.3f}" for value in (row.last_quarter, row.last_quarter_point)]
        table.append([titles.in_table(row.method), str(row.seeds), *cells])
    return "\n".join(["# Experiments", "", *markdown_table(table), "", EXPLANATION])
