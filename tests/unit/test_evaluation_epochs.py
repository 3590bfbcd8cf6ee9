"""Moments of a training: where it diverges, where W is lowest, and what AUC it had there."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from markdown_cells import cells_of
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.epochs import (
    ChoiceRow,
    auc_at,
    choice_to_markdown,
    chosen_epochs,
    compare_choice,
    epochs_around,
    last_before_divergence,
    last_epochs,
)
from oddjet.evaluation.history import EpochAucRow
from oddjet.io.csv import read_rows, write_rows
from programs import run_program

EPOCHS = [1, 2, 3, 4]
SIGNALS = ("svj_mphi-2000_rinv-0p1", "svj_mphi-2000_rinv-0p3")


def auc_rows(seed: int, values: dict[int, tuple[float, float]]) -> list[EpochAucRow]:
    return [
        EpochAucRow("nae", seed, epoch, name, {"m_phi": 2000.0, "r_inv": r_inv}, auc, 0.01, 300, 2000)
        for epoch, pair in values.items()
        for name, r_inv, auc in zip(SIGNALS, (0.1, 0.3), pair, strict=True)
    ]


ROWS = auc_rows(1, {1: (0.6, 0.5), 5: (0.9, 0.7), 10: (0.8, 0.75)}) + auc_rows(2, {1: (0.4, 0.4), 10: (0.5, 0.3)})


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([2.0, 1.0, 0.9, 0.8], [0.3, 0.4, 0.9, 0.8], None),
        ([2.0, 1.0, 1.0, 50.0], [0.3, 0.4, 21.0, 900.0], 2),
        ([2.0, 1.0, 1.0, 30.0], [0.3, 0.4, 1.0, 5.0], 3),
        ([2.0, 1.0, 1.0, math.nan], [0.3, 0.4, 1.0, 5.0], 3),
        ([2.0, 1.0, 1.0, 1.0], [99.0, 0.4, 1.0, 5.0], 1),
    ],
)
def test_divergence_is_ten_times_the_first_energy(positive, negative, expected) -> None:
    assert last_before_divergence((EPOCHS, positive), (EPOCHS, negative)) == expected


def test_an_energy_that_is_not_finite_alone_is_a_divergence() -> None:
    """A history leaves such fields out, so that E+ has an epoch more than E-, or the other way round."""
    assert last_before_divergence((EPOCHS, [2.0, 1.0, 1.0, 1.0]), ([1, 2, 4], [0.3, 0.4, 0.5])) == 2
    assert last_before_divergence(([1, 2], [2.0, 1.0]), ([1, 2, 3], [0.3, 0.4, 0.5])) == 2
    assert last_before_divergence((EPOCHS, [2.0, 1.0, 1.0, 1.0]), ([], [])) == 1


def test_snapshots_around_a_moment() -> None:
    assert epochs_around([1, 2, 3, 4, 5, 6, 7, 8, 9], 3, 4) == [3, 4, 5, 6]
    assert epochs_around([1, 5, 10, 15, 20], 12, 3) == [10, 15, 20]
    assert epochs_around([1, 5, 10, 15, 20], 19, 3) == [10, 15, 20]
    assert epochs_around([1, 5, 10, 15, 20], None, 2) == [15, 20]
    assert epochs_around([4, 2], 1, 6) == [2, 4]


def test_the_lowest_distance_counts_before_the_lowest_energy() -> None:
    energy = {1: (EPOCHS, [4.0, 3.0, 2.0, 1.0])}
    assert chosen_epochs({"positive_energy_validation": energy}) == {1: 4}
    distance = {1: ([1, 3], [5.0, 2.0]), 2: ([1, 3], [1.0, 2.0])}
    assert chosen_epochs({"positive_energy_validation": energy, "wasserstein_validation": distance}) == {1: 3, 2: 1}
    # Seed 1: epoch 5 is within the error of the lowest, epoch 7 is not.
    history = {
        "wasserstein_validation": {1: ([1, 3, 5, 7], [5.0, 2.0, 2.19, 2.3]), 2: ([1, 3], [1.0, 1.2])},
        "wasserstein_error_validation": {1: ([1, 3, 5, 7], [0.1, 0.1, 0.3, 0.3]), 2: ([1, 3], [0.05, 0.2])},
    }
    assert chosen_epochs(history) == {1: 5, 2: 1}
    with pytest.raises(EvaluationError, match="no validation W"):
        chosen_epochs({"loss_train": energy})


def test_auc_is_taken_at_the_last_snapshot_until_the_epoch() -> None:
    taken = auc_at(ROWS, {1: 7, 2: 10})
    assert [(row.seed, row.auc) for row in taken] == [(1, 0.9), (1, 0.7), (2, 0.5), (2, 0.3)]
    assert last_epochs(ROWS) == {1: 10, 2: 10}
    with pytest.raises(EvaluationError, match="seed 1 has no snapshot at epoch 0"):
        auc_at(ROWS, {1: 0})


def test_the_choice_is_set_beside_the_best_and_the_last_snapshot() -> None:
    rows = compare_choice(ROWS, {1: 10, 2: 4})
    assert [(row.seed, row.chosen_epoch, row.chosen_auc) for row in rows] == [
        (1, 10, 0.8),
        (1, 10, 0.75),
        (2, 1, 0.4),
        (2, 1, 0.4),
    ]
    assert [(row.best_epoch, row.best_auc, row.last_auc) for row in rows] == [
        (5, 0.9, 0.8),
        (10, 0.75, 0.75),
        (10, 0.5, 0.5),
        (1, 0.4, 0.3),
    ]
    # Seed 1: chosen 0.775, best 0.825; seed 2: 0.4 and 0.45: AUC below one half stays below it.
    line = cells_of(choice_to_markdown(rows))[1]
    assert line == ["NAE", "2", "0.588 ± 0.265", "0.637 ± 0.265", "0.050 ± 0.000", "0.100", "0.588 ± 0.265"]


def test_the_scripts_write_tables(tmp_path: Path) -> None:
    write_rows(tmp_path / "auc.csv", ROWS, EpochAucRow)
    history = "method,seed,epoch,wasserstein_validation\n" + "".join(
        f"nae,{seed},{epoch},{value}\n" for seed in (1, 2) for epoch, value in ((1, 3.0), (5, 1.0), (10, 2.0))
    )
    (tmp_path / "history.csv").write_text(history)
    common = ["--history", str(tmp_path / "history.csv"), "--auc-by-epoch", str(tmp_path / "auc.csv")]
    for script, *options in (
        ("select_epochs", "--moment", "lowest_w", "--output", str(tmp_path / "at.csv")),
        ("compare_epochs", "--table", str(tmp_path / "c.csv"), "--summary", str(tmp_path / "c.md")),
    ):
        command = [f"workflow/scripts/{script}.py", *common, *options]
        done = run_program(command)
        assert done.returncode == 0, done.stderr
    assert [row.auc for row in read_rows(tmp_path / "at.csv", AucRow)] == [0.9, 0.7, 0.4, 0.4]
    assert len(read_rows(tmp_path / "c.csv", ChoiceRow)) == 4
    assert (tmp_path / "c.md.origin.json").exists() or (tmp_path / "c.csv.origin.json").exists()
