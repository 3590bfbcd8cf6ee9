"""Planing in pT, correlation of score and mass, and the tables of all figures of merit."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from markdown_cells import cells_of
from oddjet.evaluation.auc import AucRow, SampleScores, compute_auc
from oddjet.evaluation.figures_of_merit import GRID, MeritRow, merit_rows
from oddjet.evaluation.merit_summary import TITLES, write_merit_summary
from oddjet.evaluation.planing import planing_weights, rank_correlation
from oddjet.evaluation.scores import auc_rows
from oddjet.evaluation.settings import MeritSettings
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.tables import Column, write_table
from programs import run_program


def spectra(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return 500 + generator.exponential(120, 6000), 500 + generator.exponential(250, 1500)


def test_planed_background_has_the_spectrum_of_the_signal() -> None:
    background, signal = spectra()
    weights = planing_weights(SampleScores("b", background), SampleScores("s", signal), bins=10)
    edges = np.quantile(signal, np.arange(0.1, 1, 0.2))
    wanted = np.bincount(np.digitize(signal, edges)) / len(signal)
    found = np.bincount(np.digitize(background, edges), weights) / weights.sum()
    np.testing.assert_allclose(found, wanted, atol=0.03)
    before = np.bincount(np.digitize(background, edges)) / len(background)
    assert np.abs(before - wanted).max() > 0.1


def test_planing_takes_from_pt_what_pt_gives() -> None:
    background, signal = spectra()
    plain = compute_auc(SampleScores("b", background), SampleScores("s", signal))
    weights = planing_weights(SampleScores("b", background), SampleScores("s", signal), bins=20)
    planed = compute_auc(SampleScores("b", background, weights), SampleScores("s", signal))
    assert plain.value > 0.65
    assert planed.value == pytest.approx(0.5, abs=0.02)


def test_thin_bins_are_merged() -> None:
    background = np.concatenate([np.full(100, 510.0), np.full(3, 900.0), np.full(50, 700.0)])
    signal = np.repeat([510.0, 700.0, 900.0], 30)
    weights = planing_weights(SampleScores("b", background), SampleScores("s", signal), bins=3)
    # Three background jets at 900 GeV are too few for a bin of their own: they share one with those at 700 GeV.
    assert weights[-1] == pytest.approx(weights[100])
    assert weights[:100].sum() / weights.sum() == pytest.approx(1 / 3)
    alone = planing_weights(SampleScores("b", background[:5]), SampleScores("s", signal))
    np.testing.assert_allclose(alone, 1.0)


@pytest.mark.parametrize("tail", ["zero", "cancelling"])
def test_no_factor_comes_from_weights_that_vanish_or_cancel(tail: str) -> None:
    """Above 700 GeV the background has the weights 0, or as many -1 as 1: no bin may lie there alone."""
    generator = np.random.default_rng(1)
    pt, signal = generator.exponential(100, 2000) + 400, generator.exponential(150, 300) + 400
    above = np.zeros(2000) if tail == "zero" else generator.choice([-1.0, 1.0], 2000)
    weights = np.where(pt > 700, above, 1.0)
    planed = planing_weights(SampleScores("b", pt, weights), SampleScores("s", signal))
    factors = planed[weights != 0] / weights[weights != 0]
    # A tenth of the signal in a bin that is worth ten of about 1900 jets would give 19.
    assert 0 < factors.min() < factors.max() < 5
    assert np.isfinite(planed).all()
    assert planed.sum() == pytest.approx(weights.sum())
    assert compute_auc(SampleScores("b", generator.normal(size=2000), planed), SampleScores("s", signal)).value == 1.0


def test_bins_of_planing_hold_ten_jets_by_weight() -> None:
    """Fifty jets, of which one has all the weight, are no bin of their own."""
    background = np.repeat([510.0, 700.0, 900.0], 50)
    weights = np.ones(150)
    weights[101:] = 1e-6
    signal = SampleScores("s", np.repeat([510.0, 700.0, 900.0], 30))
    planed = planing_weights(SampleScores("b", background, weights), signal, bins=3)
    assert planed[100] / weights[100] == pytest.approx(planed[50] / weights[50])


def test_a_signal_of_both_signs_gives_no_negative_factor() -> None:
    background, signal = spectra()
    weights = np.where(np.random.default_rng(5).random(len(signal)) < 0.25, -1.0, 1.0)
    planed = planing_weights(SampleScores("b", background), SampleScores("s", signal, weights), bins=20)
    assert planed.min() > 0
    auc = compute_auc(SampleScores("b", background, planed), SampleScores("s", signal, weights))
    assert auc.value == pytest.approx(0.5, abs=3 * auc.error)


def test_no_correlation_of_what_has_one_value() -> None:
    values = SampleScores("x", np.arange(9.0))
    assert all(map(math.isnan, rank_correlation(values, SampleScores("y", np.zeros(9)))))


def test_the_correlation_is_spearmans() -> None:
    generator = np.random.default_rng(2)
    x = generator.normal(size=400).round(1)
    y = (x + generator.normal(size=400)).round(1)
    value, error = rank_correlation(SampleScores("x", x), SampleScores("y", y))
    assert value == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    assert error == pytest.approx(1 / math.sqrt(399))


COLUMNS = [
    *(Column(name, "u8", "1", "identifier") for name in ("source", "entry")),
    Column("sample", "i2", "1", "sample"),
    *(Column(name, "f4", "GeV", "value") for name in ("pt", "mass", "weight")),
    Column("score", "(2,)f8", "1", "score"),
]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    generator = np.random.default_rng(3)
    rows = np.zeros(1400, dtype=[(column.name, column.dtype) for column in COLUMNS])
    rows["sample"] = np.repeat([0, 1, 2], [1000, 250, 150])
    rows["entry"] = np.arange(1400) // 2
    rows["pt"], rows["mass"], rows["weight"] = generator.uniform(500, 1000, 1400), generator.uniform(50, 200, 1400), 1.0
    rows["score"][:, 0] = generator.normal(size=1400) + rows["sample"]
    rows["score"][:, 1] = rows["mass"]
    attributes = {
        "method": "wnae",
        "seeds": "[1, 2]",
        "epochs": "[9, 9]",
        "samples": '["background", "svj_mphi-2000_rinv-0p1", "odd"]',
        "points": json.dumps({"svj_mphi-2000_rinv-0p1": {"m_phi": 2000, "r_inv": 0.1}, "odd": {}}),
        "backgrounds": '[["background", 0, null]]',
    }
    write_table(tmp_path / "scores.h5", COLUMNS, rows, attributes)
    return tmp_path / "scores.h5"


def test_rows_of_a_score_table(scores: Path) -> None:
    rows = merit_rows(scores, MeritSettings(replicas=20))
    found = {(row.seed, row.signal, row.merit): row for row in rows}
    assert len(found) == len(rows) == 2 * (1 + 3 * 8)
    for merit in ("auc", "rejection_at_0.5"):
        signals = [found[1, name, merit] for name in ("svj_mphi-2000_rinv-0p1", "odd")]
        mean = found[1, GRID, merit]
        assert mean.value == pytest.approx(np.mean([row.value for row in signals]))
        # One background for both, of which most of the error is not: less than full correlation.
        assert 0.4 < mean.error / np.mean([row.error for row in signals]) < 1.0
    assert found[2, "background", "score_mass_correlation"].value == pytest.approx(1.0)
    assert abs(found[1, "background", "score_mass_correlation"].value) < 0.15
    assert found[1, "odd", "auc"].value > found[1, "svj_mphi-2000_rinv-0p1", "auc"].value > 0.7
    assert found[1, "odd", "auc_planed"].value == pytest.approx(found[1, "odd", "auc"].value, abs=0.04)
    assert {row.merit for row in rows} == set(TITLES)
    assert rows == merit_rows(scores, MeritSettings(replicas=20)) or all(
        one == other or math.isnan(one.where) or not one.point
        for one, other in zip(rows, merit_rows(scores, MeritSettings(replicas=20)), strict=True)
    )


def test_the_scripts_write_tables_and_a_summary(scores: Path) -> None:
    folder = scores.parent
    for script, arguments in (
        ("evaluate", ["--scores", scores, "--auc", folder / "a.csv", "--merit", folder / "b.csv"]),
        ("summarize", ["--scores", scores, "--auc", folder / "a.csv", "--merit", folder / "b.csv", "--folder", folder]),
    ):
        command = [f"workflow/scripts/{script}.py", "--settings", '{"replicas": 20}', *map(str, arguments)]
        done = run_program(command)
        assert done.returncode == 0, done.stderr
    rows = read_rows(folder / "merit.csv", MeritRow)
    assert len(rows) == 50
    text = (folder / "merit.md").read_text()
    assert text == write_merit_summary(rows)
    head, line = cells_of(text)
    assert head[:3] == ["method", "seeds", "AUC"]
    assert line[:2] == ["WNAE", "2"]
    assert line[2].startswith("0.")


def test_the_figures_of_a_method_are_made_by_their_names(scores: Path) -> None:
    folder = scores.parent
    write_rows(folder / "a.csv", auc_rows(scores), AucRow)
    files = [folder / f"{kind}_wnae.png" for kind in ("auc_heatmap", "scores")]
    command = ["plot_methods", "--auc", folder / "a.csv", "--scores", scores, "--output"]
    done = run_program([*command, *files])
    assert done.returncode == 0, done.stderr
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files)
    done = run_program([*command, folder / "scores_ae.pdf"])
    assert done.returncode == 1
    assert "scores_ae: no figure has this name" in done.stderr
    assert "there are tables of wnae" in done.stderr


def test_a_figure_that_rests_on_nothing_is_a_dash() -> None:
    rows = [
        MeritRow("wnae", 1, GRID, {}, "auc", 0.912, 0.0123, math.nan),
        MeritRow("wnae", 1, GRID, {}, "rejection_at_0.3", math.inf, math.nan, 0.3),
        MeritRow("wnae", 1, GRID, {}, "rejection_at_0.5", 26.94, 3.69, 0.5),
        MeritRow("wnae", 1, GRID, {}, "largest_improvement", 2.036, 0.109, 0.52),
    ]
    line = write_merit_summary(rows).splitlines()[4]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "WNAE",
        "1",
        "0.912 ± 0.012",
        "-",
        "26.9 ± 3.7",
        "2.04 ± 0.11 (0.52)",
    ]
