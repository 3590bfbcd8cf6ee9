"""The training figure: curves from the tables, what a method lacks is left out."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oddjet.axes import HeatmapSettings
from oddjet.errors import AxesError, EvaluationError, FigureError
from oddjet.evaluation.history import EpochAucRow, auc_lines, auc_over_grid, read_history, with_gaps
from oddjet.io.csv import write_rows
from oddjet.plotting.history import TrainingCurves, draw_training
from oddjet.plotting.style import save_figure
from oddjet.titles import Titles, default_title
from programs import run_program

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
WNAE = f"{HEAD}\nwnae,1,1,2,1,90,2,1.5,8,9,1\nwnae,1,2,1.5,1e20,4,1.6,1.5e20,5,4,1\n"


def auc_rows(method: str = "ae", seeds: tuple[int, ...] = (1, 2), last: int = 2) -> list[EpochAucRow]:
    return [
        EpochAucRow(
            method,
            seed,
            epoch,
            f"{m}_{r}",
            {"m_phi": m, "r_inv": r},
            0.9 - r * 0.2 - seed * 0.01 - epoch / last / 10,
            0.01,
            300,
            900,
        )
        for epoch in sorted({1, last})
        for seed in seeds
        for m in (1000.0, 2000.0)
        for r in (0.1, 0.3, 0.5, 0.7)
    ]


def curves_of(text: str, rows: list[EpochAucRow], folder: Path, **other: object) -> TrainingCurves:
    (folder / "history.csv").write_text(text)
    history = read_history([folder / "history.csv"])
    lines, where = auc_lines(rows, HeatmapSettings(), Titles())
    made = TrainingCurves(
        default_title(rows[0].method),
        history,
        lines,
        auc_over_grid(rows),
        where,
        chosen={1: 2, 2: 1},
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
    lines, where = auc_lines(rows, HeatmapSettings(at={"m_phi": 1000.0}), Titles())
    assert list(lines) == [rf"$r_{{\mathrm{{inv}}}}$ = {r}" for r in (0.1, 0.3, 0.5, 0.7)]
    assert where == r"$m_{\Phi}$ = 1000 GeV"
    assert lines[r"$r_{\mathrm{inv}}$ = 0.3"][2] == (
        [1, 2],
        pytest.approx([0.9 - 0.06 - 0.02 - 0.05, 0.9 - 0.06 - 0.02 - 0.1]),
    )
    expected = [np.mean([row.auc for row in rows if row.seed == 1 and row.epoch == epoch]) for epoch in (1, 2)]
    assert auc_over_grid(rows)[1] == ([1, 2], pytest.approx(expected))


def test_the_mass_is_the_papers_or_the_middle_one_or_the_wanted_one() -> None:
    def where(rows: list[EpochAucRow], **at: float) -> str:
        return auc_lines(rows, HeatmapSettings(at=at), Titles())[1]

    rows = auc_rows()
    assert where(rows) == r"$m_{\Phi}$ = 2000 GeV"
    assert where(rows, m_phi=1000.0) == r"$m_{\Phi}$ = 1000 GeV"
    points = [{"m_phi": m, "r_inv": r} for m in (600.0, 800.0, 900.0) for r in (0.1, 0.3)]
    others = [replace(rows[0], signal=str(number), point=point) for number, point in enumerate(points)]
    assert where(others) == r"$m_{\Phi}$ = 800 GeV"
    assert auc_lines([replace(row, point={}) for row in rows], HeatmapSettings(), Titles())[1] == ""
    with pytest.raises(AxesError, match=r"heatmap.at.m_phi: no signal is at 3000; there are 1000, 2000"):
        where(rows, m_phi=3000.0)


def test_an_autoencoder_has_no_sampled_energy_and_no_distance(tmp_path: Path) -> None:
    figure = draw_training(curves_of(AE, auc_rows(), tmp_path), "Simulation")
    upper, lower = figure.axes
    legend = [text.get_text() for text in upper.get_legend().get_texts()]
    assert legend == ["$E_{+}$ (background)", "train", "validation", "chosen epochs"]
    # Two seeds, training and validation, and one line a chosen epoch.
    assert len(upper.lines) == 4 + 2
    assert upper.get_ylabel() == "reconstruction error"
    legend = [text.get_text() for text in lower.get_legend().get_texts()]
    assert legend == [
        *(rf"$r_{{\mathrm{{inv}}}}$ = {r}" for r in (0.1, 0.3, 0.5, 0.7)),
        "mean over grid",
        "seed 1",
        "seed 2",
    ]
    assert lower.get_legend().get_title().get_text() == r"$m_{\Phi}$ = 2000 GeV"
    assert [line.get_xdata()[0] for line in upper.lines[-2:]] == [2, 1]


def test_a_wasserstein_autoencoder_shows_all_three_on_a_logarithmic_axis(tmp_path: Path) -> None:
    figure = draw_training(curves_of(WNAE, auc_rows("wnae", (1,)), tmp_path, chosen={}), "Simulation")
    upper = figure.axes[0]
    assert len(upper.lines) == 6
    assert upper.get_yscale() == "log"
    assert "chosen" not in " ".join(text.get_text() for text in upper.get_legend().get_texts())
    # The energy of 1e20 would leave no room for what came before.
    note = r"$\uparrow$ $E_{-}$ beyond the axis from epoch 2, up to $2 \times 10^{20}$"
    assert [text.get_text() for text in upper.texts] == [note, "Simulation", "WNAE, 1 seed"]
    assert upper.get_ylim()[1] < 1e4


@pytest.mark.parametrize("chosen", [{1: 4}, {}])
def test_a_training_of_which_most_epochs_diverged_shows_those_before(tmp_path: Path, chosen: dict[int, int]) -> None:
    healthy = [(1, 2.0, 1.0, 90.0), (2, 1.5, 1.2, 30.0), (3, 1.4, 1.3, 9.0), (4, 1.3, 1.2, 5.0)]
    lost = [(epoch, 10.0 ** (epoch - 3), 3.0 * 10.0**epoch, 1e4) for epoch in range(5, 21)]
    rows = [f"nae,1,{n},{up},{down},{w},{up},{down},{w},1,1" for n, up, down, w in healthy + lost]
    text = "\n".join([HEAD, *rows, ""])
    upper = draw_training(curves_of(text, auc_rows("nae", (1,), 20), tmp_path, chosen=chosen), "Simulation").axes[0]
    low, high = upper.get_ylim()
    # All that came before the divergence is on the axis, and what came after does not stretch it.
    assert low < 1.0
    assert 90.0 < high < 1e6
    note = r"$\uparrow$ $E_{+}$, $E_{-}$, $W$ beyond the axis from epoch 5, up to $3 \times 10^{20}$"
    assert upper.texts[0].get_text() == note


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
    with pytest.raises(FigureError, match="AE: no energies by epoch"):
        draw_training(curves_of(AE, auc_rows(), tmp_path, history={}), "Simulation")


def test_a_method_with_one_score_for_all_jets_is_drawn_without_an_auc(tmp_path: Path) -> None:
    rows = [replace(row, auc=math.nan, auc_error=math.nan) for row in auc_rows()]
    figure = draw_training(curves_of(AE, rows, tmp_path), "Simulation")
    assert "no AUC: all jets have one score" in [text.get_text() for text in figure.axes[1].texts]
    assert [line.get_xdata()[-1] for line in figure.axes[0].lines[:4]] == [2, 2, 1, 2]


def test_an_auc_that_is_not_there_is_a_gap_and_no_mean_of_the_others() -> None:
    rows = [
        replace(row, auc=math.nan) if (row.seed, row.epoch, row.point["r_inv"]) == (1, 2, 0.3) else row
        for row in auc_rows()
    ]
    assert auc_over_grid(rows)[1][0] == [1]
    assert auc_over_grid(rows)[2][0] == [1, 2]
    lines, _ = auc_lines(rows, HeatmapSettings(), Titles())
    assert [curves[1][0] for curves in lines.values()][:2] == [[1, 2], [1]]


def test_an_overflow_of_one_energy_alone_is_a_gap(tmp_path: Path) -> None:
    """E- of epoch 3 is beyond the range of its numbers, and is there again in epoch 4."""
    text = f"{HEAD}\n" + "".join(f"nae,1,{n},{n},{'' if n == 3 else 9 * n},,,,,1,1\n" for n in range(1, 5))
    (tmp_path / "history.csv").write_text(text)
    history = with_gaps(read_history([tmp_path / "history.csv"]))
    assert history["positive_energy_train"] == {1: ([1, 2, 3, 4], [1, 2, 3, 4])}
    epochs, values = history["negative_energy_train"][1]
    assert epochs == [1, 2, 3, 4]
    np.testing.assert_array_equal(values, [9, 18, math.nan, 36])
    curves = TrainingCurves("NAE", history, {}, auc_over_grid(auc_rows("nae", (1,))), "", {})
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
    command = ["workflow/scripts/plot_methods.py", "--history", str(tmp_path / "history.csv")]
    command += ["--auc-by-epoch", str(tmp_path / "auc.csv")]
    command += ["--output", *(str(tmp_path / f"training_ae.{suffix}") for suffix in ("pdf", "png"))]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "training_ae.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "training_ae.png").read_bytes().startswith(b"\x89PNG")
