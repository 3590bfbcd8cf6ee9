"""The figure of expected limits: a panel for each invisible fraction, the better method first."""

from dataclasses import replace

import pytest

from oddjet.axes import HeatmapSettings
from oddjet.errors import FigureError
from oddjet.evaluation.limits import LimitRow, limits_along
from oddjet.io.csv import write_rows
from oddjet.plotting.limits import draw_limits
from oddjet.plotting.style import figure_style
from oddjet.titles import Titles
from programs import run_program


def rows(method: str, best: float) -> list[LimitRow]:
    return [
        LimitRow(
            method,
            seed,
            f"svj_{m}_{r}",
            {"m_phi": m, "r_inv": r},
            *(best * m / 1000 * (1 + r) * 2.0**k * seed for k in (-2, -1, 0, 1, 2)),
            9.0,
            2.0,
        )
        for seed in (1, 2)
        for m in (1000.0, 2000.0, 3000.0)
        for r in (0.1, 0.7)
    ]


def test_a_panel_for_each_fraction_and_a_line_for_each_method():
    limits = {m: tuple(0.1 * 2.0**k for k in (-2, -1, 0, 1, 2)) for m in (1000.0, 2000.0)}
    bands = {f"r = {r}": limits for r in (0.1, 0.3, 0.7)}
    figure = draw_limits({"WNAE": bands, "neighbors": bands}, "$m$ [GeV]", "Simulation", "138 fb$^{-1}$")
    assert [axes.get_title() for axes in figure.axes] == ["r = 0.1", "r = 0.3", "r = 0.7"]
    assert {axes.get_xlabel() for axes in figure.axes} == {"$m$ [GeV]"}
    assert [line.get_ydata().tolist() for line in figure.axes[0].lines] == [[0.1, 0.1]] * 2
    with pytest.raises(FigureError, match="no limit to draw"):
        draw_limits({"WNAE": {}}, "", "", "")


def test_the_words_at_the_axis_are_no_longer_than_it():
    """They ran down into the words below the figure."""
    bands = {"": {0.1: (1.0, 2.0, 3.0, 4.0, 5.0), 0.5: (1.0, 2.0, 3.0, 4.0, 5.0)}}
    with figure_style():
        figure = draw_limits({"WNAE": bands}, "", "Simulation", "138 fb$^{-1}$")
        figure.draw_without_rendering()
    axes = figure.axes[0]
    words, height = axes.yaxis.label.get_window_extent(), axes.get_window_extent()
    assert height.y0 <= words.y0 < words.y1 <= height.y1 + 1


def test_limits_lie_along_the_abscissa_of_the_heatmap():
    found = limits_along(rows("wnae", 2.0), HeatmapSettings(), Titles())
    assert (found.axis, found.names) == (r"$m_{\Phi}$ [GeV]", [])
    panels = found.methods["wnae"]
    assert list(panels) == [rf"$r_{{\mathrm{{inv}}}}$ = {r}" for r in (0.1, 0.7)]
    for r, places in zip((0.1, 0.7), panels.values(), strict=True):
        assert list(places) == [1000, 2000, 3000]
        # The geometric mean of two seeds, the second with twice the limits.
        assert places[2000][2] == pytest.approx(4.0 * (1 + r) * 2**0.5)


def test_signals_on_no_axes_stand_beside_each_other():
    alone = [replace(row, point={}) for row in rows("wnae", 2.0)]
    found = limits_along(alone, HeatmapSettings(), Titles(samples={"svj_1000.0_0.1": "first"}))
    assert (found.axis, found.names[0], len(found.names)) == ("", "first", 6)
    figure = draw_limits(found.methods, found.axis, "", "", found.names)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == found.names
    assert axes.lines[0].get_linestyle() == "None"


def test_the_program_draws_the_better_method_first(tmp_path):
    write_rows(tmp_path / "a.csv", rows("wnae", 2.0), LimitRow)
    write_rows(tmp_path / "b.csv", rows("ae", 1.0), LimitRow)
    outputs = ["--output", tmp_path / "l.pdf", tmp_path / "l.png"]
    done = run_program(["plot_limits", "--limits", tmp_path / "a.csv", tmp_path / "b.csv", *outputs])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "l.png").stat().st_size > 10_000
