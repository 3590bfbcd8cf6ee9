"""How far the AUC of a training falls while it should be over, and whether W warns of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oddjet.errors import EvaluationError
from oddjet.evaluation.history import Curves, EpochAucRow, auc_over_grid
from oddjet.training.epoch_choice import BAND, choose_epoch

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
