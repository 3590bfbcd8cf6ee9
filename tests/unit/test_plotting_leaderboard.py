"""The leaderboard figure: ordered, complete, and made from the tables of all methods."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from oddjet.errors import EvaluationError, FigureError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.figures_of_merit import GRID, MeritRow
from oddjet.evaluation.grid import GridRow
from oddjet.io.csv import write_rows
from oddjet.io.tables import Column, write_table
from oddjet.plotting.leaderboard import Entry, draw_leaderboard
from oddjet.plotting.style import figure_style
from oddjet.report.comparison_figures import FIGURES
from oddjet.report.leaderboard import leaderboard_entries
from programs import run_program

ROWS = [
    AucRow(
        method,
        seed,
        f"svj_{m_phi:g}_{r_inv}",
        {"m_phi": m_phi, "r_inv": r_inv},
        best - r_inv / 2 + seed / 100,
        0.01,
        300,
        2000,
    )
    for method, best in (("ae", 0.6), ("wnae", 0.9))
    for seed in (1, 2)
    for m_phi in (1000.0, 2000.0)
    for r_inv in (0.1, 0.5)
]
GRID_ROWS = [
    GridRow(method, 2, best - 0.135, 0.006, 0.01 / math.sqrt(2), "ae", difference, 0.004)
    for method, best, difference in (("ae", 0.6, math.nan), ("wnae", 0.9, 0.3))
]
MERITS = [MeritRow("wnae", seed, GRID, {}, "auc_planed", 0.7 + seed / 100, 0.02, math.nan) for seed in (1, 2)] + [
    MeritRow("wnae", 1, GRID, {}, "largest_f1", 0.9, 0.02, 0.5)
]


def test_entries_are_averages_of_the_tables() -> None:
    ae, wnae = leaderboard_entries(ROWS, MERITS, GRID_ROWS)
    assert (ae.title, wnae.title) == ("AE", "WNAE")
    assert wnae.mean == pytest.approx(0.9 - 0.15 + 0.015)
    assert wnae.uncertainty == pytest.approx(math.hypot(0.006, 0.01 / math.sqrt(2)))
    assert (ae.difference, wnae.difference) == ("-", "+0.300 ± 0.004")
    # Of ceilings there are AUCs alone: DeLong's error.
    ceiling = leaderboard_entries(ROWS, [])[1]
    assert (ceiling.uncertainty, ceiling.difference) == (pytest.approx(math.hypot(0.01, 0.01 / math.sqrt(2))), "")
    assert wnae.by_value == pytest.approx(
        {rf"$r_{{\mathrm{{inv}}}}$ = {r}": auc for r, auc in ((0.1, 0.865), (0.5, 0.665))}
    )
    assert wnae.planed == pytest.approx((0.715, math.hypot(0.02, 0.01 / math.sqrt(2))))
    assert ae.planed is None
    with pytest.raises(EvaluationError, match="score all methods on the same tables"):
        leaderboard_entries([*ROWS, replace(ROWS[0], method="nae", n_signal=7)], [])


def test_no_value_of_an_axis_is_left_out() -> None:
    by_value = {f"r = {step / 10}": 0.9 - step / 20 for step in range(1, 10)}
    axes = draw_leaderboard([Entry("WNAE", 0.7, 0.01, by_value)], "Simulation").axes[0]
    drawn = [line for line in axes.lines if line.get_markersize() == 30]
    assert [line.get_xdata()[0] for line in drawn] == pytest.approx(list(by_value.values()))
    assert len({line.get_color() for line in drawn}) == len(by_value)


def test_the_best_method_stands_at_the_top() -> None:
    entries = leaderboard_entries(ROWS, MERITS)
    figure = draw_leaderboard([entries[1], entries[0]], "Simulation")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["AE", "WNAE"]
    # The lowest value is 0.36, so the axis begins a step below it.
    assert axes.get_xlim() == (0.3, 1)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [
        *(rf"$r_{{\mathrm{{inv}}}}$ = {r}" for r in (0.1, 0.5)),
        r"mean $\pm$ uncertainty",
        r"mean, $p_{T}$ planed",
    ]
    assert [text.get_text() for text in axes.texts] == ["Simulation", "mean over grid"]


def test_differences_stand_beside_their_methods() -> None:
    entries = leaderboard_entries(ROWS, MERITS, GRID_ROWS)
    entries.append(Entry("trees", 0.95, 0.01, supervised=True))
    figure = draw_leaderboard(entries, "Simulation", "AE")
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words == ["-", "+0.300 ± 0.004", "", "minus\nAE", "Simulation", "mean over grid"]
    with figure_style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        for text in figure.axes[0].texts:
            box = text.get_window_extent(canvas.get_renderer())
            assert not text.get_text() or (box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1)


def test_a_method_without_a_mean_stands_at_the_bottom() -> None:
    axes = draw_leaderboard([Entry("AE", 0.4, 0.01), Entry("WNAE", math.nan, math.nan)], "Simulation").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["WNAE", "AE"]


def test_a_supervised_ceiling_stands_apart() -> None:
    entries = leaderboard_entries(ROWS, MERITS)
    figure = draw_leaderboard([Entry("trees", 0.55, 0.01, supervised=True), *entries], "Simulation")
    axes = figure.axes[0]
    # Above all methods, although its mean is lower than one of theirs, and behind a dashed line.
    assert [label.get_text() for label in axes.get_yticklabels()] == ["AE", "WNAE", "trees"]
    assert [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"] == [2, 1.5]
    assert "supervised (trained on signal)" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_no_method_is_an_error() -> None:
    with pytest.raises(FigureError, match="no method to draw"):
        draw_leaderboard([], "Simulation")


def test_the_script_draws_the_same_bytes_twice(tmp_path: Path) -> None:
    columns = [Column(name, "f4", "1", "") for name in ("pt", "mass", "weight")]
    columns += [Column("sample", "i2", "1", ""), Column("score", "(1,)f8", "1", "")]
    columns += [Column("source", "u8", "1", ""), Column("entry", "i8", "1", "")]
    jets = np.zeros(60, dtype=[(column.name, column.dtype) for column in columns])
    jets["pt"], jets["mass"], jets["weight"], jets["score"] = *(np.arange(60.0) for _ in range(2)), 1, np.ones((60, 1))
    jets["sample"][40:], jets["entry"] = 1, np.arange(60)
    names = {
        "method": "wnae",
        "seeds": "[1]",
        "epochs": "[3]",
        "samples": '["background", "x"]',
        "points": '{"x": {"m_phi": 1, "r_inv": 0}}',
        "backgrounds": '[["qcd", 0, null]]',
    }
    write_table(tmp_path / "scores.h5", columns, jets, names)
    write_rows(tmp_path / "leaderboard.csv", ROWS, AucRow)
    write_rows(tmp_path / "merit.csv", MERITS, MeritRow)
    write_rows(tmp_path / "grid.csv", GRID_ROWS, GridRow)
    command = ["workflow/scripts/plot_comparison.py", "--scores", str(tmp_path / "scores.h5")]
    for name in ("leaderboard", "merit", "grid"):
        command += [f"--{name}", str(tmp_path / f"{name}.csv")]
    written = []
    for folder in ("one", "two"):
        files = [tmp_path / folder / f"{name}.{suffix}" for name in FIGURES for suffix in ("pdf", "png")]
        words = [*command, "--output", *map(str, files)]
        if folder == "one":
            done = run_program(words)
        else:
            done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        written.append([path.read_bytes() for path in files])
    assert written[0] == written[1]
    done = run_program([*command, "--output", tmp_path / "rock.pdf"])
    assert done.stderr == f"error: rock: no figure has this name; there are {', '.join(FIGURES)}\n"
