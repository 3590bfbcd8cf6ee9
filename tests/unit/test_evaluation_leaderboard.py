"""The leaderboard to read: ordered, with the figures of merit beside, ceilings apart."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.figures_of_merit import GRID, MeritRow
from oddjet.evaluation.grid import NO_BASELINE, GridRow
from oddjet.evaluation.leaderboard_table import write_leaderboard
from oddjet.evaluation.merit_summary import write_merit_summary
from oddjet.titles import Titles

ROWS = [
    AucRow(method, seed, "svj", {"m_phi": 1000.0, "r_inv": 0.1}, best + seed / 100, 0.01, 300, 2000)
    for method, best in (("ae", 0.6), ("wnae", 0.8))
    for seed in (1, 2)
]
ROWS.append(AucRow("pca", 1, "svj", {"m_phi": 1000.0, "r_inv": 0.1}, 0.7, 0.02, 300, 2000))
GRID_ROWS = [
    GridRow("ae", 2, 0.615, 0.006, 0.00707, "pca", -0.085, 0.004),
    GridRow("wnae", 2, 0.815, 0.005, 0.00707, "pca", 0.115, 0.0032),
    GridRow("pca", 1, 0.7, 0.009, 0.0, "pca", math.nan, math.nan),
]
MERITS = [MeritRow("wnae", seed, GRID, {}, "auc_planed", 0.7, 0.02, math.nan) for seed in (1, 2)]
CEILINGS = [AucRow("supervised_trees", 1, "svj", {"m_phi": 1000.0, "r_inv": 0.1}, 0.75, 0.004, 300, 2000)]


def lines(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


def test_the_best_method_comes_first_with_both_errors() -> None:
    text = write_leaderboard(ROWS, GRID_ROWS, MERITS, CEILINGS)
    head, _, *table = lines(text)
    assert head == ["rank", "method", "seeds", "AUC", "minus PCA residual", "AUC, pT planed"]
    assert table == [
        ["1", "WNAE", "2", "0.815 ± 0.005 ± 0.007", "+0.115 ± 0.003", "0.700 ± 0.020"],
        ["2", "PCA residual", "1", "0.700 ± 0.009 ± -", "-", "-"],
        ["3", "AE", "2", "0.615 ± 0.006 ± 0.007", "-0.085 ± 0.004", "-"],
        # Better than two methods, and still without a rank, below them all.
        ["", "*supervised trees*", "1", "*0.750 ± 0.004 ± -*", "", ""],
    ]
    assert "bootstrap of events over the whole grid" in text
    assert "PCA residual is the baseline with\nthe highest mean on these test jets" in text
    assert "supervised" not in write_leaderboard(ROWS, GRID_ROWS, MERITS)


def test_without_a_baseline_there_is_no_difference() -> None:
    grid = [replace(row, reference=NO_BASELINE, difference=math.nan) for row in GRID_ROWS]
    text = write_leaderboard(ROWS, grid, MERITS)
    assert lines(text)[0] == ["rank", "method", "seeds", "AUC", "AUC, pT planed"]
    assert "minus" not in text


def test_a_method_without_an_auc_comes_last_and_is_named() -> None:
    rows = [replace(row, auc=math.nan) if (row.method, row.seed) == ("wnae", 2) else row for row in ROWS]
    grid = [replace(row, auc=math.nan, error=math.nan) if row.method == "wnae" else row for row in GRID_ROWS]
    text = write_leaderboard(rows, grid, MERITS)
    assert lines(text)[-1][:4] == ["-", "WNAE", "2", "-"]
    assert "WNAE, seed 2: no AUC of 1 signal" in text


def test_approximate_transport_is_labelled() -> None:
    text = write_leaderboard(ROWS, GRID_ROWS, MERITS, CEILINGS, Titles(approximate=("wnae",)))
    assert [row[1] for row in lines(text)[2:4]] == ["WNAE (approximate)", "PCA residual"]
    merits = write_merit_summary(MERITS, Titles(approximate=("wnae",)))
    assert lines(merits)[2][0] == "WNAE (approximate)"
    for page in (text, merits):
        assert "(approximate): the loss is Sinkhorn's divergence and not exact transport" in page
    assert "pproximate" not in write_leaderboard(ROWS, GRID_ROWS, MERITS) + write_merit_summary(MERITS)


def test_only_the_same_jets_are_compared() -> None:
    with pytest.raises(EvaluationError, match="score all methods on the same tables"):
        write_leaderboard(ROWS, GRID_ROWS, MERITS, [replace(CEILINGS[0], n_signal=7)])
    with pytest.raises(EvaluationError, match="ae is the name of a method and of a supervised ceiling"):
        write_leaderboard(ROWS, GRID_ROWS, MERITS, [replace(CEILINGS[0], method="ae")])
