"""The training figure: curves from the tables, what a method lacks is left out."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oddjet.errors import EvaluationError, FigureError
from oddjet.evaluation.history import EpochAucRow, auc_by_fraction, auc_over_grid, choose_mass, read_history, with_gaps
from oddjet.io.csv import write_rows
from oddjet.plotting.history import TrainingCurves, draw_training
from oddjet.plotting.style import save_figure

HEAD = (
    "method,seed,epoch,positive_energy_train,negative_energy_train,wasserstein_train,"
    "positive_energy_validation,negative_energy_validation,wasserstein_validation,loss_train,seconds"
)
AE = f"""{HEAD}
ae,1,1,0.5,,,0.6,,,0.5,0.1
ae,2,1,0.4,,,0.5,,,0.4,0.1
ae,1,2,0.1,,,,,,0.1,0.1
ae,2,2,0.2,,,0.3,,,0.2,0.1
"""
WNAE = f"{HEAD}\nwnae,1,1,2,1,9,2,1.5,8,9,1\nwnae,1,2,1.5,1e20,4,1.6,1.5e20,5,4,1\n"


def auc_rows(method: str = "ae", seeds: tuple[int, ...] = (1, 2), last: int = 2) -> list[EpochAucRow]:
    return [
        EpochAucRow(
            method, seed, epoch, f"{m}_{r}", m, r, 0.9 - r * 0.2 - seed * 0.01 - epoch / last / 10, 0.01, 300, 900
        )
        for epoch in sorted({1, last})
        for seed in seeds
        for m in (1000.0, 2000.0)
        for r in (0.1, 0.3, 0.5, 0.7)
    ]


def curves_of(text: str, rows: list[EpochAucRow], folder: Path, **other: object) -> TrainingCurves:
    (folder / "history.csv").write_text(text)
    history = read_history([folder / "history.csv"])
    made = TrainingCurves(
        rows[0].method, history, auc_by_fraction(rows, 2000.0), auc_over_grid(rows), 2000.0, chosen={1: 2, 2: 1}
    )
    return replace(made, **other)


def test_history_is_read_by_quantity_and_seed_without_its_gaps(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(AE)
    (tmp_path / "two.csv").write_text(f"{HEAD}\nae,3,1,0.7,,,0.8,,,0.7,0.1\n")
    history = read_history([tmp_path / "one.csv", tmp_path / "two.csv"])
    assert set(history) == {"positive_energy_train", "positive_energy_validation", "loss_train", "seconds"}
    assert history["positive_energy_train"] == {1: ([1, 2], [0.5, 0.1]), 2: ([1, 2], [0.4, 0.2]), 3: ([1], [0.7])}
    assert history["positive_energy_validation"][1] == ([1], [0.6])


def test_auc_curves_at_one_mass_and_over_the_grid() -> None:
    rows = auc_rows()
    by_fraction = auc_by_fraction(rows, 1000.0)
    assert list(by_fraction) == [0.1, 0.3, 0.5, 0.7]
    assert by_fraction[0.3][2] == ([1, 2], pytest.approx([0.9 - 0.06 - 0.02 - 0.05, 0.9 - 0.06 - 0.02 - 0.1]))
    expected = [np.mean([row.auc for row in rows if row.seed == 1 and row.epoch == epoch]) for epoch in (1, 2)]
    assert auc_over_grid(rows)[1] == ([1, 2], pytest.approx(expected))


def test_the_mass_is_the_papers_or_the_middle_one_or_the_wanted_one() -> None:
    rows = auc_rows()
    assert choose_mass(rows) == 2000.0
    assert choose_mass(rows, 1000.0) == 1000.0
    assert choose_mass([replace(row, m_phi=m) for row, m in zip(rows, (600.0, 800.0, 900.0), strict=False)]) == 800.0
    assert choose_mass([replace(row, m_phi=math.nan) for row in rows]) is None
    with pytest.raises(EvaluationError, match="--m-phi 3000 is not on the grid; its masses are 1000, 2000"):
        choose_mass(rows, 3000.0)


def test_an_autoencoder_has_no_sampled_energy_and_no_distance(tmp_path: Path) -> None:
    figure = draw_training(curves_of(AE, auc_rows(), tmp_path), "Simulation")
    upper, lower = figure.axes
    legend = [text.get_text() for text in upper.get_legend().get_texts()]
    assert legend == ["$E_{+}$ (background)", "train", "validation", "chosen epochs"]
    # Two seeds, training and validation, and one line a chosen epoch.
    assert len(upper.lines) == 4 + 2
    assert upper.get_ylabel() == "reconstruction error"
    legend = [text.get_text() for text in lower.get_legend().get_texts()]
    assert legend == [*(rf"$r_{{\mathrm{{inv}}}}$ = {r}" for r in (0.1, 0.3, 0.5, 0.7)), "mean over grid"]
    assert lower.get_legend().get_title().get_text() == r"$m_{\Phi}$ = 2000 GeV"
    assert [line.get_xdata()[0] for line in upper.lines[-2:]] == [2, 1]


def test_a_wasserstein_autoencoder_shows_all_three_on_a_logarithmic_axis(tmp_path: Path) -> None:
    figure = draw_training(curves_of(WNAE, auc_rows("wnae", (1,)), tmp_path, chosen={}), "Simulation")
    upper = figure.axes[0]
    assert len(upper.lines) == 6
    assert upper.get_yscale() == "log"
    assert "chosen" not in " ".join(text.get_text() for text in upper.get_legend().get_texts())
    assert [text.get_text() for text in upper.texts] == ["Simulation", "WNAE, 1 seed"]


def test_long_trainings_show_their_early_epochs(tmp_path: Path) -> None:
    short = draw_training(curves_of(AE, auc_rows(), tmp_path), "Simulation")
    long = draw_training(curves_of(AE, auc_rows(last=1500), tmp_path), "Simulation")
    assert [figure.axes[1].get_xscale() for figure in (short, long)] == ["linear", "log"]
    low, high = long.axes[1].get_xlim()
    assert low == 1
    assert 1500 < high < 1700


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.pdf", "two.pdf"):
        save_figure(draw_training(curves_of(WNAE, auc_rows(), tmp_path), "Simulation"), tmp_path / name)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_nothing_to_draw_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FigureError, match="method ae: no energies by epoch"):
        draw_training(curves_of(AE, auc_rows(), tmp_path, history={}), "Simulation")


def test_a_method_with_one_score_for_all_jets_is_drawn_without_an_auc(tmp_path: Path) -> None:
    rows = [replace(row, auc=math.nan, auc_error=math.nan) for row in auc_rows()]
    figure = draw_training(curves_of(AE, rows, tmp_path), "Simulation")
    assert "no AUC: all jets have one score" in [text.get_text() for text in figure.axes[1].texts]
    assert [line.get_xdata()[-1] for line in figure.axes[0].lines[:4]] == [2, 2, 1, 2]


def test_an_auc_that_is_not_there_is_a_gap_and_no_mean_of_the_others() -> None:
    rows = [
        replace(row, auc=math.nan) if (row.seed, row.epoch, row.r_inv) == (1, 2, 0.3) else row for row in auc_rows()
    ]
    assert auc_over_grid(rows)[1][0] == [1]
    assert auc_over_grid(rows)[2][0] == [1, 2]
    assert [auc_by_fraction(rows, 2000.0)[r_inv][1][0] for r_inv in (0.1, 0.3)] == [[1, 2], [1]]


def test_an_overflow_of_one_energy_alone_is_a_gap(tmp_path: Path) -> None:
    """E- of epoch 3 is beyond the range of its numbers, and is there again in epoch 4."""
    text = f"{HEAD}\n" + "".join(f"nae,1,{n},{n},{'' if n == 3 else 9 * n},,,,,1,1\n" for n in range(1, 5))
    (tmp_path / "history.csv").write_text(text)
    history = with_gaps(read_history([tmp_path / "history.csv"]))
    assert history["positive_energy_train"] == {1: ([1, 2, 3, 4], [1, 2, 3, 4])}
    epochs, values = history["negative_energy_train"][1]
    assert epochs == [1, 2, 3, 4]
    np.testing.assert_array_equal(values, [9, 18, math.nan, 36])
    curves = TrainingCurves("nae", history, {}, auc_over_grid(auc_rows("nae", (1,))), None, {})
    drawn = draw_training(curves, "Simulation").axes[0].lines[1].get_ydata()
    np.testing.assert_array_equal(drawn, [9, 18, math.nan, 36])


@pytest.mark.parametrize("text", ["seed,epoch,loss\n1,1,abc\n", "epoch,loss\n1,2\n", "seed,epoch,loss\n1\n"])
def test_a_file_that_is_no_history_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(EvaluationError, match=r"history\.csv: not a readable training history"):
        read_history([tmp_path / "history.csv"])


def test_the_script_writes_both_files(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(AE)
    write_rows(tmp_path / "auc.csv", auc_rows(), EpochAucRow)
    command = [sys.executable, "workflow/scripts/plot_training.py", "--history", str(tmp_path / "history.csv")]
    command += ["--auc-by-epoch", str(tmp_path / "auc.csv")]
    command += ["--output-pdf", str(tmp_path / "a.pdf"), "--output-png", str(tmp_path / "a.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
