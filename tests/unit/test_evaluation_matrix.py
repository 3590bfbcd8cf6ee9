"""The matrix of trainings, backgrounds and signals, as a table and a figure."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Annotation

from markdown_cells import cells_of
from oddjet.axes import Axis, HeatmapSettings
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.matrix import MatrixRow, Training, matrix_of, matrix_rows, worst, write_matrix
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import read_origin
from oddjet.plotting.matrix import draw_matrix
from oddjet.report.matrix_figure import matrix_figure
from oddjet.titles import Titles
from programs import run_program

BACKGROUNDS = ("background", "top", "qcd")


def rows(method: str, *aucs: float, seeds: tuple[int, ...] = (1, 2)) -> list[AucRow]:
    """AUCs against the mixture and its samples, the second seed higher by 0.02, two signals apart by 0.1."""
    return [
        AucRow(
            method,
            seed,
            signal,
            {"m_phi": m_phi, "r_inv": 0.3},
            auc + 0.02 * (seed - 1) + shift,
            0.01,
            300,
            900,
            background,
        )
        for seed in seeds
        for background, auc in zip(BACKGROUNDS, aucs, strict=True)
        for signal, m_phi, shift in (("light", 1000.0, 0.0), ("heavy", 2000.0, 0.1))
    ]


TOP, EACH = Training("WNAE", "top"), Training("WNAE", "each")
MATRIX = {TOP: rows("wnae_top", 0.70, 0.80, 0.60), EACH: rows("wnae_minimum", 0.75, 0.74, 0.78, seeds=(1,))}


def test_each_training_has_its_auc_against_each_single_background():
    matrix = matrix_of(matrix_rows(MATRIX))
    assert list(matrix) == ["light", "heavy"]
    cells = matrix["heavy"][TOP]
    assert {name: cell.mean for name, cell in cells.items()} == pytest.approx({"top": 0.91, "qcd": 0.71})
    assert cells["top"].uncertainty == pytest.approx(np.hypot(0.01, np.std([0.90, 0.92], ddof=1)))
    assert worst(cells) == pytest.approx(0.71)
    assert worst(matrix["light"][EACH]) == pytest.approx(0.74)


def test_the_table_has_every_training_and_the_worst_background():
    lines = write_matrix(matrix_of(matrix_rows(MATRIX))).splitlines()
    assert [line for line in lines if line.startswith("## ")] == ["## light", "## heavy"]
    cells = [row for row in cells_of("\n".join(lines)) if row[0] == "WNAE"]
    assert cells[0] == ["WNAE", "top", "0.810 ± 0.017", "0.610 ± 0.017", "0.610"]
    assert cells[3] == ["WNAE", "each", "0.840 ± 0.010", "0.880 ± 0.010", "0.840"]


def test_trainings_that_were_tested_otherwise_are_refused():
    fewer = [row for row in rows("ae", 0.5, 0.5, 0.5) if row.background != "qcd"]
    with pytest.raises(EvaluationError, match="AE trained on top is tested against top with light, heavy, others"):
        matrix_rows({**MATRIX, Training("AE", "top"): fewer})


def test_a_cell_of_the_figure_stands_where_its_training_says():
    panels = {
        "against top": {("A", "x"): (0.9, 0.02), ("B", "y"): (0.6, 0.03)},
        "against qcd": {("A", "x"): (0.3, 0.01)},
    }
    figure = draw_matrix(panels, ["A", "B"], ["x", "y"], "a signal", "Simulation")
    top, qcd, bar = figure.axes
    assert {text.get_text(): text.xy for text in top.texts if isinstance(text, Annotation)} == {
        "0.90": (0.5, 0.5),
        "± 0.02": (0.5, 0.5),
        "0.60": (1.5, 1.5),
        "± 0.03": (1.5, 1.5),
    }
    assert [axes.texts[-1].get_text() for axes in (top, qcd)] == list(panels)
    assert top.get_ylim()[0] > top.get_ylim()[1]
    assert bar.get_ylim() == (0.3, 1.0)


def test_the_figure_is_drawn_from_the_table(tmp_path: Path):
    for name, own in (("top", MATRIX[TOP]), ("each", MATRIX[EACH])):
        write_rows(tmp_path / f"{name}.csv", own, AucRow)
    tables = [str(tmp_path / f"{name}.csv") for name in ("top", "each")]
    table, summary = tmp_path / "matrix.csv", tmp_path / "matrix.md"
    command = ["workflow/scripts/tabulate_matrix.py", "--auc", *tables, "--trainings", json.dumps([TOP, EACH])]
    done = run_program([*command, "--table", str(table), "--summary", str(summary)])
    assert done.returncode == 0, done.stderr
    assert summary.read_text() == write_matrix(matrix_of(matrix_rows(MATRIX)))
    assert write_matrix(matrix_of(read_rows(table, MatrixRow))) == summary.read_text()
    outputs = ["--output", *(str(tmp_path / f"matrix.{suffix}") for suffix in ("pdf", "png"))]
    done = run_program(["workflow/scripts/plot_matrix.py", "--table", str(table), *outputs])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "matrix.pdf").read_bytes().startswith(b"%PDF")
    assert list(json.loads(read_origin(tmp_path / "matrix.pdf")["inputs"])) == [str(table)]


def test_the_figure_says_what_the_table_and_the_configuration_hold():
    settings = HeatmapSettings(axes={"m_phi": Axis(title="mediator", unit="TeV")})
    found = matrix_rows(MATRIX)
    figure, note = matrix_figure(found, Titles(samples={"qcd": "multijets"}, heatmap=settings), "Mine", "heavy")
    assert figure.get_suptitle() == "mediator = 2000 TeV, $r_{\\mathrm{inv}}$ = 0.3"
    top, qcd, _ = figure.axes
    assert [text.get_text() for text in top.texts if isinstance(text, Annotation)] == [
        "0.91",
        "± 0.02",
        "0.84",
        "± 0.01",
    ]
    words = [text.get_text() for axes in (top, qcd) for text in axes.texts]
    assert {"Mine", "against multijets"} <= set(words)
    assert note.startswith("Test jets: 900 top, 900 multijets, 300 of the signal.")
    assert "standard deviation of 2 seeds" in note
    with pytest.raises(EvaluationError, match="--signal: there is no none; the signals are light, heavy"):
        matrix_figure(found, Titles(), "Mine", "none")
