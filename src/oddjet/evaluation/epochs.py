"""Epochs of a training: the last before it diverges, the one that it keeps, and how far its AUC falls late.

All from the history of the training and its AUC by epoch.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from oddjet.axes import Point
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.history import Curve, Curves, EpochAucRow, auc_over_grid
from oddjet.report.markdown import markdown_table, with_errors
from oddjet.titles import Titles
from oddjet.training.epoch_choice import BAND, choose_epoch

# A training has diverged where E- or |E+ - E-| exceeds this multiple of the energy of jets after the first epoch.
BLOW_UP = 10.0


@dataclass(frozen=True)
class ChoiceRow:
    """AUC at the epoch that training chose, and at the snapshot where it is best for this signal."""

    method: str
    seed: int
    signal: str
    point: Point
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
        chosen_one, best_one = (at.epoch, at.auc), (best.epoch, best.auc)
        compared.append(ChoiceRow(at.method, seed, at.signal, at.point, *chosen_one, *best_one, end.auc, at.auc_error))
    return compared


def choice_to_markdown(rows: Sequence[ChoiceRow], titles: Titles | None = None) -> str:
    """Write a table: by method, mean over grid and seeds of the AUC at the chosen, best and last epochs."""
    titles = titles or Titles()
    table = [["method", "seeds", "AUC at the chosen epoch", "at the best snapshot", "lost", "most lost", "at the end"]]
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
        table.append([titles(method), str(len(seeds)), *cells, with_errors(most), end])
    lines = [
        "# AUC at the epoch that training chose, by background alone, against the best epoch of the same run",
        "",
        *markdown_table(table),
        "",
        "Mean over the grid ± standard deviation over seeds, on the validation background; among snapshots. The best",
        "snapshot is looked up with the signal at hand: a bound that no choice by background can pass, and one that is",
        "a little too high, for it is the largest of many AUCs that fluctuate.",
    ]
    return "\n".join(lines) + "\n"


def _mean_and_spread(rows: Sequence[ChoiceRow], seeds: Sequence[int], value: Callable[[ChoiceRow], float]) -> str:
    means = [statistics.fmean(value(row) for row in rows if row.seed == seed) for seed in seeds]
    spread = statistics.stdev(means) if len(means) > 1 else 0.0
    return with_errors(statistics.fmean(means), spread)


LAST_PART = 0.75


class Fall(NamedTuple):
    """The largest fall of the mean AUC over the grid in the last quarter of a training, of one seed.

    Attributes
    ----------
    start, end, auc_start, auc_end
        Snapshots between which it falls, and the AUC there; both the last ones where it never falls.
    w_start, w_end, w_error
        W on validation jets at the two, and the error of their difference.
    warned
        Whether W says so: at the end it is outside the band from which the epoch is kept, or more than two errors
        above that of the start.
    chosen, chosen_auc
        The epoch that the training keeps, and the AUC at the last snapshot until then.
    """

    seed: int
    start: int
    end: int
    auc_start: float
    auc_end: float
    w_start: float
    w_end: float
    w_error: float
    warned: bool
    chosen: int
    chosen_auc: float

    @property
    def size(self) -> float:
        """How much AUC is lost."""
        return self.auc_start - self.auc_end


def largest_falls(rows: Sequence[EpochAucRow], history: Mapping[str, Curves]) -> list[Fall]:
    """Find the largest fall of each seed.

    Parameters
    ----------
    rows : sequence of EpochAucRow
        One method, on validation jets.
    history : mapping of str to curves
        From `read_history`; W is needed at every snapshot of the last quarter.

    Raises
    ------
    EvaluationError
        If W was not measured at those snapshots, or there are fewer than two of them.
    """
    return [_fall(seed, *curve, history) for seed, curve in auc_over_grid(rows).items()]


def _fall(seed: int, epochs: Sequence[int], aucs: Sequence[float], history: Mapping[str, Curves]) -> Fall:
    last = [(epoch, auc) for epoch, auc in zip(epochs, aucs, strict=True) if epoch > LAST_PART * epochs[-1]]
    if len(last) < 2:
        raise EvaluationError(
            f"seed {seed}: fewer than two snapshots in the last quarter; lower training.snapshot_every"
        )
    distance, error = (
        dict(zip(*history.get(f"wasserstein_{name}", {}).get(seed, ([], [])), strict=True))
        for name in ("validation", "error_validation")
    )
    missing = [epoch for epoch, _ in last if epoch not in distance or epoch not in error]
    if missing:
        raise EvaluationError(f"seed {seed}: no validation W with an error at epoch {missing[0]}; lower validate_every")
    pairs = [(first, second) for index, first in enumerate(last) for second in last[index + 1 :]]
    (start, before), (end, after) = max(pairs, key=lambda pair: pair[0][1] - pair[1][1])
    if before < after:
        (start, before) = (end, after) = last[-1]
    choice = choose_epoch((epoch, value, error.get(epoch, 0.0)) for epoch, value in distance.items())
    between = math.hypot(error[start], error[end])
    return Fall(
        seed=seed,
        start=start,
        end=end,
        auc_start=before,
        auc_end=after,
        w_start=distance[start],
        w_end=distance[end],
        w_error=between,
        warned=distance[end] > choice.limit or distance[end] > distance[start] + BAND * between,
        chosen=choice.epoch,
        chosen_auc=[auc for epoch, auc in zip(epochs, aucs, strict=True) if epoch <= choice.epoch][-1],
    )


def falls_to_text(method: str, falls: Sequence[Fall], bar: float) -> str:
    """Write a line a seed, and one of the whole: how many fall by more than `bar` without a warning."""
    lines = [
        f"{method} seed {fall.seed}: AUC falls by {fall.size:.4f} from {fall.auc_start:.4f} (epoch {fall.start}) to"
        f" {fall.auc_end:.4f} (epoch {fall.end}); W {fall.w_start:.3f} to {fall.w_end:.3f}, error {fall.w_error:.3f}"
        f"{', warns' if fall.warned else ''}; kept: epoch {fall.chosen}, AUC {fall.chosen_auc:.4f}"
        for fall in falls
    ]
    large = [fall for fall in falls if fall.size >= bar]
    silent = sum(not fall.warned for fall in large)
    lines.append(
        f"{method}: {len(falls)} seeds, largest fall {max(fall.size for fall in falls):.4f}; {len(large)} fall by"
        f" {bar:g} or more, {silent} of them without a warning of W"
    )
    return "\n".join(lines) + "\n"
