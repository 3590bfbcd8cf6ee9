"""Backgrounds that signals are tested against: which jets each holds, and what tables and figures say of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oddjet.detectors.opening import KEPT, Method, one_method
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow, SampleScores, compute_auc
from oddjet.evaluation.backgrounds import (
    Background,
    by_background,
    find_backgrounds,
    label_of,
    of_training,
    read_backgrounds,
)
from oddjet.evaluation.bootstrap import grid_replicas
from oddjet.evaluation.grid import GridRow, as_averages, grid_rows, worst_background
from oddjet.evaluation.leaderboard_table import write_leaderboard
from oddjet.evaluation.score_table import read_method
from oddjet.evaluation.scores import auc_rows, score_samples
from oddjet.evaluation.settings import EvaluationSettings, MeritSettings
from oddjet.evaluation.signals import Signal
from oddjet.evaluation.summary import write_summary
from oddjet.io.tables import Column, read_table, write_table
from oddjet.report.comparison_figures import Compared, roc, sculpting
from oddjet.report.leaderboard import leaderboard_entries
from oddjet.report.method_figures import by_method, heatmap_of, scores
from oddjet.titles import Titles

COLUMNS = [Column(name, "i8", "1", "identifier") for name in KEPT if name not in ("pt", "mass", "weight")]
COLUMNS += [Column(name, "f4", "1", "value") for name in ("pt", "mass", "weight", "x")]
# Samples by the mean of their score: 300 jets of each, `light` with a hundredth of the weight.
MEANS = {"top": 0.0, "light": 2.0, "qcd": 1.0, "svj": 1.5}
SIGNALS = ("svj_mphi-1000_rinv-0p1", "svj_mphi-2000_rinv-0p1")


def jets(name: str, source: int = 0) -> np.ndarray:
    generator = np.random.default_rng(list(name.encode()))
    rows = np.zeros(300, dtype=[(column.name, column.dtype) for column in COLUMNS])
    rows["entry"], rows["source"], rows["weight"] = np.arange(300), source, 0.01 if name == "light" else 1.0
    rows["pt"], rows["mass"] = generator.uniform(500, 900, 300), generator.uniform(50, 200, 300)
    rows["x"] = generator.normal(MEANS[name.split("_")[0]], 1.0, 300)
    return rows


def write(path: Path, rows: np.ndarray, **attributes: str) -> Path:
    write_table(path, COLUMNS, rows, attributes)
    return path


def scored(folder: Path, *trained_on: str, tested: tuple[str, ...] = ("qcd",), method: str = "one") -> Path:
    """A score table of two seeds: the value, and the value with the sign turned round."""
    sources = json.dumps([[name, f"{name}.h5"] for name in trained_on])
    rows = np.concatenate([jets(name, number) for number, name in enumerate(trained_on)])
    test = write(folder / "test.h5", rows, sources=sources)
    signals = [
        Signal(name, {"m_phi": m_phi, "r_inv": 0.1}, (write(folder / f"{name}.h5", jets(name)),))
        for name, m_phi in zip(SIGNALS, (1000, 2000), strict=True)
    ]
    others = {name: (write(folder / f"{name}.h5", jets(name)),) for name in tested}
    opened = one_method(
        Method(method, (1, 2), (1, 1)), lambda table: np.column_stack([table["x"], -table["x"]]).astype(float)
    )
    output = folder / f"{method}.scores.h5"
    score_samples(
        opened, test, signals, [output], EvaluationSettings(minimum_signal_jets=50), {}, test_backgrounds=others
    )
    return output


def expected(background: np.ndarray, signal: str, sign: float = 1.0) -> float:
    samples = [SampleScores("x", sign * rows["x"], rows["weight"]) for rows in (background, jets(signal))]
    return compute_auc(*samples).value


def test_a_table_says_which_jets_are_of_which_background(tmp_path: Path) -> None:
    alone = scored(tmp_path, "top")
    assert read_backgrounds(alone) == [Background("top", 0), Background("qcd", 3)]
    assert read_method(alone).seeds == (1, 2)
    both = scored(tmp_path, "top", "light")
    names = [
        Background("background", 0),
        Background("top", 0, (0,)),
        Background("light", 0, (1,)),
        Background("qcd", 3),
    ]
    assert read_backgrounds(both) == names
    table = read_table(both)
    for one, name in zip(names[1:], ("top", "light", "qcd"), strict=True):
        np.testing.assert_array_equal(table[one.places(table)]["score"][:, 0], jets(name)["x"])
    assert len(names[0].places(table)) == 600


def test_a_sample_that_trains_is_not_tested_against_twice(tmp_path: Path) -> None:
    test = write(tmp_path / "test.h5", jets("top"), sources='[["top", "top.h5"]]')
    with pytest.raises(EvaluationError, match=r"--test-backgrounds: top is among the samples of .*test\.h5"):
        find_backgrounds(test, ["top"], 2)


def test_each_background_has_its_auc_and_the_mixture_has_that_of_the_weights(tmp_path: Path) -> None:
    rows = auc_rows(scored(tmp_path, "top", "light"))
    found = {(row.seed, row.background, row.signal): row for row in rows}
    assert len(found) == len(rows) == 2 * 4 * 2
    mixture = np.concatenate([jets("top"), jets("light")])
    for name, background in {"background": mixture, **{name: jets(name) for name in ("top", "light", "qcd")}}.items():
        for seed, sign in ((1, 1.0), (2, -1.0)):
            row = found[seed, name, SIGNALS[0]]
            assert row.auc == pytest.approx(expected(background, SIGNALS[0], sign), rel=1e-9)
            assert row.n_background == len(background)
    # The light sample weighs 1 % of the mixture.
    assert found[1, "background", SIGNALS[0]].auc == pytest.approx(found[1, "top", SIGNALS[0]].auc, abs=0.01)
    assert [row.background for row in of_training(rows)] == ["background"] * 4


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("scores")
    return [scored(folder, "top", "light", method=name) for name in ("one", "other")]


@pytest.fixture(scope="module")
def grid(tables: list[Path]) -> list[GridRow]:
    rows = [row for path in tables for row in auc_rows(path)]
    return grid_rows(rows, grid_replicas(tables, MeritSettings(replicas=40)), ["other"])


def test_means_have_their_error_and_difference_for_each_background(tables: list[Path], grid: list[GridRow]) -> None:
    assert [row.background for row in grid] == [
        name for name in ("background", "top", "light", "qcd") for _ in range(2)
    ]
    for background, (one, other) in by_background(grid).items():
        assert (one.reference, other.difference) == ("other", pytest.approx(np.nan, nan_ok=True))
        assert (one.difference, one.difference_error) == (0, 0)
        # Two seeds of opposite sign: their AUCs add up to one in every replica.
        assert one.auc == pytest.approx(0.5)
        assert one.error == pytest.approx(0, abs=1e-12), background
    alone = [
        replace(row, auc=0.9 if row.background == "background" else 0.8 - len(row.background) / 100) for row in grid
    ]
    worst = worst_background(alone, "one")
    assert (worst.background, worst.auc) == ("light", pytest.approx(0.75))
    alone[4] = replace(alone[4], auc=np.nan)
    assert worst_background(alone, "one") is None


def test_pages_say_against_which_background(tables: list[Path], grid: list[GridRow]) -> None:
    rows = [row for path in tables for row in auc_rows(path)]
    page = write_leaderboard(rows, grid, [])
    assert page.startswith("# Leaderboard, means over the grid, against all backgrounds of the training\n")
    head = next(line for line in page.splitlines() if "rank" in line)
    cells = [cell.strip() for cell in head.strip("|").split("|")]
    assert cells[4:] == ["minus other", "AUC against top", "AUC against light", "AUC against qcd", "worst background"]
    assert "0.500 (top)" in page
    text = write_summary(rows, as_averages(grid), {})
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads == [f"## Against {name}" for name in ("all backgrounds of the training", "top", "light", "qcd")]
    assert "2 signals (300 to 300 jets each), 300 background test jets (qcd)." in text
    (entry, _) = leaderboard_entries(rows, [], grid)
    assert entry.others == pytest.approx({"top": 0.5, "light": 0.5, "QCD": 0.5})
    (entry, _) = leaderboard_entries(rows, [], grid, Titles(samples={"light": "u, d, s"}))
    assert list(entry.others) == ["top", "u, d, s", "QCD"]


def test_figures_call_backgrounds_by_their_titles() -> None:
    titles = Titles(samples={"top": "top pairs"})
    assert [label_of(name, titles, several=True) for name in ("background", "top", "qcd")] == [
        "all backgrounds of the training",
        "top pairs",
        "QCD",
    ]
    assert [label_of(name, titles, several=False) for name in ("background", "qcd")] == ["", "QCD"]
    rows = [
        AucRow("ae", 1, f"svj_{m_phi}_{r_inv}", {"m_phi": m_phi, "r_inv": r_inv}, 0.7, 0.01, 300, 900, name)
        for name in ("top", "qcd")
        for m_phi, r_inv in ((1000.0, 0.1), (1000.0, 0.3), (2000.0, 0.3))
    ]
    axes = heatmap_of(rows, "AE", titles, "Simulation").axes
    assert [one.get_ylabel() for one in axes if "AUC" in one.get_ylabel()] == [
        "AUC against top pairs",
        "AUC against QCD",
    ]


def test_the_figures_of_scores_name_the_background_of_the_training(tmp_path: Path) -> None:
    path = scored(tmp_path, "top", tested=())
    titles = Titles(samples={"top": "top pairs"})
    (method,) = by_method({"auc": [], "scores": [path], "history": [], "auc_by_epoch": []}, titles).values()
    left, right = scores(method, "Simulation").axes
    assert left.get_legend_handles_labels()[1][0] == "top pairs"
    assert right.get_xlabel() == "top pairs efficiency"
    nothing = tmp_path / "none.csv"
    found = Compared([path], nothing, nothing, nothing, None, titles)
    assert roc(found, "Simulation").axes[0].get_xlabel() == "top pairs efficiency"
    axes = sculpting(found, "Simulation").axes[0]
    assert axes.get_ylabel() == "top pairs efficiency of a cut at 10 %"


def test_one_background_alone_is_named_and_needs_no_more_columns(tmp_path: Path) -> None:
    path = scored(tmp_path, "top", tested=())
    rows = auc_rows(path)
    grid = grid_rows(rows, grid_replicas([path], MeritSettings(replicas=20)))
    page = write_leaderboard(rows, grid, [])
    assert page.startswith("# Leaderboard, means over the grid, against top\n")
    assert "worst" not in page
    assert {row.background for row in grid} == {"top"}
