"""Falls of the AUC late in a training, and what W says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from oddjet.errors import EvaluationError
from oddjet.evaluation.epochs import largest_falls
from oddjet.evaluation.history import Curves, EpochAucRow
from oddjet.io.csv import write_rows
from programs import run_program

EPOCHS = [10, 60, 80, 90, 100]


def rows(aucs: dict[int, list[float]]) -> list[EpochAucRow]:
    return [
        EpochAucRow("wnae", seed, epoch, f"svj_{shift}", {"m_phi": 2000.0, "r_inv": 0.1}, auc + shift, 0.01, 9, 9)
        for seed, values in aucs.items()
        for epoch, auc in zip(EPOCHS, values, strict=True)
        for shift in (-0.01, 0.01)
    ]


def history(distances: dict[int, list[float]], error: float = 0.03) -> dict[str, Curves]:
    return {
        "wasserstein_validation": {seed: (EPOCHS, values) for seed, values in distances.items()},
        "wasserstein_error_validation": {seed: (EPOCHS, [error] * 5) for seed in distances},
    }


def test_the_largest_fall_of_the_last_quarter_and_its_warning() -> None:
    aucs = {
        1: [0.90, 0.80, 0.83, 0.82, 0.80],  # falls from epoch 80 to 100; the fall before counts for nothing
        2: [0.60, 0.80, 0.81, 0.82, 0.83],  # rises
        3: [0.60, 0.80, 0.83, 0.80, 0.84],
    }
    distances = {1: [3.0, 0.9, 0.80, 0.85, 1.20], 2: [3.0, 0.9, 0.8, 0.8, 0.9], 3: [3.0, 0.9, 0.80, 0.81, 0.82]}
    one, two, three = largest_falls(rows(aucs), history(distances))
    assert (one.seed, one.start, one.end, one.warned, one.chosen) == (1, 80, 100, True, 90)
    assert (one.size, one.chosen_auc) == pytest.approx((0.03, 0.82))
    assert (two.size, two.start, two.end) == (0.0, 100, 100)
    assert (three.start, three.end, three.warned, three.chosen) == (80, 90, False, 100)


def test_without_w_or_snapshots_there_is_no_answer() -> None:
    aucs, distances = {1: [0.9, 0.8, 0.83, 0.82, 0.80]}, {1: [3.0, 0.9, 0.8, 0.85, 1.2]}
    with pytest.raises(EvaluationError, match="seed 1: no validation W with an error at epoch 80"):
        largest_falls(rows(aucs), {"wasserstein_validation": history(distances)["wasserstein_validation"]})
    with pytest.raises(EvaluationError, match="fewer than two snapshots"):
        largest_falls([row for row in rows(aucs) if row.epoch not in (80, 90)], history(distances))


def test_the_script_prints_a_line_a_seed_and_a_sum(tmp_path: Path) -> None:
    table = rows({1: [0.90, 0.80, 0.83, 0.82, 0.80], 2: [0.60, 0.80, 0.83, 0.80, 0.84]})
    write_rows(tmp_path / "auc.csv", table, EpochAucRow)
    lines = ["method,seed,epoch,wasserstein_validation,wasserstein_error_validation"]
    for seed, values in {1: [3.0, 0.9, 0.80, 0.85, 1.20], 2: [3.0, 0.9, 0.80, 0.81, 0.82]}.items():
        lines += [f"wnae,{seed},{epoch},{value},0.03" for epoch, value in zip(EPOCHS, values, strict=True)]
    (tmp_path / "history.csv").write_text("\n".join(lines) + "\n")
    command = ["workflow/scripts/compare_stability.py", "--history", str(tmp_path / "history.csv")]
    done = run_program([*command, "--auc-by-epoch", str(tmp_path / "auc.csv")])
    assert done.returncode == 0, done.stderr
    one, two, total = done.stdout.splitlines()
    assert "seed 1: AUC falls by 0.0300 from 0.8300 (epoch 80) to 0.8000 (epoch 100)" in one
    assert "warns" in one
    assert "warns" not in two
    assert total == ("wnae: 2 seeds, largest fall 0.0300; 2 fall by 0.02 or more, 1 of them without a warning of W")
