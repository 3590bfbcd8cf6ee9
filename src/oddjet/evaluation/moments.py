"""Moments of a training, found from its history alone: before it diverges, and the epoch that W on validation keeps."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from oddjet.errors import EvaluationError
from oddjet.evaluation.history import Curve, Curves, EpochAucRow
from oddjet.evaluation.merit import AucRow
from oddjet.training.epoch_choice import choose_epoch

# A training has diverged where E- or |E+ - E-| is so many times the energy of jets after the first epoch.
BLOW_UP = 10.0


@dataclass(frozen=True)
class ChoiceRow:
    """AUC at the epoch that training chose, and at the snapshot where it is best for this signal."""

    method: str
    seed: int
    signal: str
    m_phi: float
    r_inv: float
    chosen_epoch: int
    chosen_auc: float
    best_epoch: int
    best_auc: float
    last_auc: float
    auc_error: float


def last_before_divergence(positive: Curve, negative: Curve) -> int | None:
    """Find the last epoch before E- or |E+ - E-| exceeds `BLOW_UP` times the first epoch's E+.

    Parameters
    ----------
    positive, negative : pair of lists
        Epochs and E+, epochs and E- of one seed. At an epoch that only one of them has, the other is beyond the range
        of its numbers: that is a divergence.

    Returns
    -------
    int or None
        None if that never happens; the first epoch if it happens there.
    """
    limit = BLOW_UP * positive[1][0]
    energies, sampled = (dict(zip(*curve, strict=True)) for curve in (positive, negative))
    before = positive[0][0]
    for epoch in sorted(energies | sampled):
        plus, minus = energies.get(epoch, math.nan), sampled.get(epoch, math.nan)
        # Written so that NaN counts as diverged.
        if not (minus <= limit and abs(plus - minus) <= limit):
            return before
        before = epoch
    return None


def epochs_around(snapshots: Sequence[int], before: int | None, count: int) -> list[int]:
    """Pick the snapshot at `before` or the last one until then, and those after it, `count` in all.

    Where fewer follow, or there is no such epoch (None), the last `count` snapshots.
    """
    ordered = sorted(snapshots)
    if before is None:
        return ordered[-count:]
    first = max((index for index, epoch in enumerate(ordered) if epoch <= before), default=0)
    return ordered[max(0, min(first, len(ordered) - count)) :][:count]


def chosen_epochs(history: Mapping[str, Curves]) -> dict[int, int]:
    """Find the epoch of each seed that training itself keeps, by W on validation jets, or E+ where there is no W.

    See `oddjet.training.epoch_choice.EpochChoice`: the latest epoch within two errors of the lowest.

    Raises
    ------
    EvaluationError
        If the history has neither.
    """
    for name in ("wasserstein", "positive_energy"):
        if curves := history.get(f"{name}_validation"):
            errors = history.get(f"{name}_error_validation", {})
            return {
                seed: choose_epoch(_with_errors(curve, errors.get(seed, ([], [])))).epoch
                for seed, curve in curves.items()
            }
    raise EvaluationError("the history has no validation W and no validation E+; train with validation")


def _with_errors(curve: Curve, errors: Curve) -> list[tuple[int, float, float]]:
    known = dict(zip(*errors, strict=True))
    return [(epoch, value, known.get(epoch, 0.0)) for epoch, value in zip(*curve, strict=True)]


def auc_at(rows: Sequence[EpochAucRow], epochs: Mapping[int, int]) -> list[AucRow]:
    """Take each seed's AUC at one epoch, or at the last snapshot until then.

    Parameters
    ----------
    rows : sequence of EpochAucRow
        One method.
    epochs : mapping of int to int
        Seed to epoch.

    Raises
    ------
    EvaluationError
        If a seed has no snapshot until its epoch.
    """
    taken = []
    for seed, epoch in sorted(epochs.items()):
        until = [row.epoch for row in rows if row.seed == seed and row.epoch <= epoch]
        if not until:
            raise EvaluationError(
                f"seed {seed} has no snapshot at epoch {epoch} or before; lower training.snapshot_every"
            )
        for row in rows:
            if row.seed == seed and row.epoch == max(until):
                values = asdict(row)
                del values["epoch"]
                taken.append(AucRow(**values))
    return taken


def last_epochs(rows: Sequence[EpochAucRow]) -> dict[int, int]:
    """Find each seed's last snapshot."""
    return {seed: max(row.epoch for row in rows if row.seed == seed) for seed in {row.seed for row in rows}}


def compare_choice(rows: Sequence[EpochAucRow], chosen: Mapping[int, int]) -> list[ChoiceRow]:
    """Set the AUC at the chosen epochs beside the best and the last of the snapshots, for each seed and signal.

    Parameters
    ----------
    rows : sequence of EpochAucRow
        One method, on the validation background.
    chosen : mapping of int to int
        Seed to epoch, from `chosen_epochs`.
    """
    last = last_epochs(rows)
    by_signal: dict[tuple[int, str], list[EpochAucRow]] = {}
    for row in rows:
        by_signal.setdefault((row.seed, row.signal), []).append(row)
    compared = []
    for (seed, _), same in by_signal.items():
        at = max((row for row in same if row.epoch <= chosen[seed]), key=lambda row: row.epoch, default=same[0])
        best = max(same, key=lambda row: -math.inf if math.isnan(row.auc) else row.auc)
        end = next(row for row in same if row.epoch == last[seed])
        point = at.signal, at.m_phi, at.r_inv
        chosen_one, best_one = (at.epoch, at.auc), (best.epoch, best.auc)
        compared.append(ChoiceRow(at.method, seed, *point, *chosen_one, *best_one, end.auc, at.auc_error))
    return compared


def choice_to_markdown(rows: Sequence[ChoiceRow]) -> str:
    """Write a table: by method, mean over grid and seeds of the AUC at the chosen, best and last epochs."""
    lines = [
        "# AUC at the epoch that training chose, by background alone, against the best epoch of the same run",
        "",
        "| method | seeds | AUC at the chosen epoch | at the best snapshot | lost | most lost | at the end |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for method in dict.fromkeys(row.method for row in rows):
        mine = [row for row in rows if row.method == method]
        seeds = sorted({row.seed for row in mine})
        cells = [
            _mean_and_spread(mine, seeds, value)
            for value in (
                lambda row: row.chosen_auc,
                lambda row: row.best_auc,
                lambda row: row.best_auc - row.chosen_auc,
            )
        ]
        most = max(row.best_auc - row.chosen_auc for row in mine)
        end = _mean_and_spread(mine, seeds, lambda row: row.last_auc)
        lines.append(f"| {method} | {len(seeds)} | {' | '.join(cells)} | {most:.3f} | {end} |")
    lines += [
        "",
        "Mean over the grid ± standard deviation over seeds, on the validation background; among snapshots. The best",
        "snapshot is looked up with the signal at hand: a bound that no choice by background can pass, and one that is",
        "a little too high, for it is the largest of many AUCs that fluctuate.",
    ]
    return "\n".join(lines) + "\n"


def _mean_and_spread(rows: Sequence[ChoiceRow], seeds: Sequence[int], value: Callable[[ChoiceRow], float]) -> str:
    means = [statistics.fmean(value(row) for row in rows if row.seed == seed) for seed in seeds]
    if any(map(math.isnan, means)):
        return "-"
    spread = statistics.stdev(means) if len(means) > 1 else 0.0
    return f"{statistics.fmean(means):.3f} ± {spread:.3f}"
