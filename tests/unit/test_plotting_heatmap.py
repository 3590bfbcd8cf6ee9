"""The heatmap: what it says, that nothing overlaps, that the same table gives the same bytes."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from oddjet.errors import AxesError, EvaluationError, FigureError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.summary import averages_of_method, points_of
from oddjet.io.csv import write_rows
from oddjet.plotting.heatmap import SMALLEST, Panel, draw_heatmap
from oddjet.plotting.style import contrast, figure_style, readable_colour, save_figure, write_note
from oddjet.report.method_figures import heatmap_of
from oddjet.titles import Titles
from programs import run_program

NAMES = (r"$m_{\Phi}$ [GeV]", r"$r_\mathrm{inv}$")
Cells = dict[tuple[float, float], tuple[float, float]]
DEFAULT = {(m, r): (0.9 - 0.5 * r, 0.012) for m in (1000.0, 2000.0, 3000.0) for r in (0.1, 0.3, 0.5, 0.7)}
PAPER = {
    (m, r): (0.05, 0.1) for m in (600.0, 800.0, 1000.0, 1500.0, 2000.0, 3000.0, 4000.0) for r in (0.1, 0.3, 0.5, 0.7)
}


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_cell_says_its_value_and_its_uncertainty() -> None:
    figure = draw_heatmap(
        [Panel({(2000.0, 0.1): (0.876, 0.0123), (1000.0, 0.3): (0.4, 0.034)})], NAMES, "WNAE", 5, "Simulation"
    )
    assert texts(figure) == ["0.88", "± 0.01", "0.40", "± 0.03", "Simulation", "WNAE, 5 seeds"]
    axes, bar = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1000", "2000"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.1", "0.3"]
    assert bar.get_ylabel() == "AUC"


def test_a_small_error_is_no_zero() -> None:
    cells = {(2000.0, 0.1): (0.876, 0.0041), (1000.0, 0.1): (0.8, 0.0051), (500.0, 0.1): (0.7, 0.0)}
    assert texts(draw_heatmap([Panel(cells)], NAMES, "AE", 1, ""))[1:6:2] == ["± 0.004", "± 0.01", "± 0.00"]


def test_a_point_without_an_auc_stays_hatched() -> None:
    figure = draw_heatmap(
        [Panel({(2000.0, 0.1): (0.876, 0.0123), (1000.0, 0.1): (nan, nan)})], NAMES, "WNAE", 5, "Simulation"
    )
    assert texts(figure) == ["0.88", "± 0.01", "Simulation", "WNAE, 5 seeds"]
    assert figure.get_supxlabel() == "Hatched: no signal, or no AUC."
    assert figure.axes[0].collections[0].get_array().mask.tolist() == [[True, False]]


def test_a_colour_means_the_same_in_all_heatmaps_and_the_bar_shows_what_is_used() -> None:
    figures = [
        draw_heatmap([Panel({(1000.0, 0.1): (low, 0.01), (1000.0, 0.3): (0.9, 0.01)})], NAMES, "ae", 1, "Simulation")
        for low in (0.46, 0.78)
    ]
    meshes = [figure.axes[0].collections[0] for figure in figures]
    assert [(mesh.norm.vmin, mesh.norm.vmax) for mesh in meshes] == [(0.0, 1.0)] * 2
    assert [figure.axes[1].get_ylim() for figure in figures] == [(0.4, 1.0), (0.5, 1.0)]
    colours = [to_rgb(meshes[0].cmap(meshes[0].norm(auc))) for auc in (0.2, 0.495, 0.505, 0.78, 0.92)]
    worse, below, above, good, better = colours
    assert worse[0] > worse[2]
    assert min(max(below), max(above)) > 0.95
    # What are three neighbouring blues on a scale from white to blue are shades of clearly other brightness.
    assert contrast(good, better) > 2.5


def test_numbers_have_the_contrast_that_wcag_asks_for() -> None:
    cells = {(100.0 * (1 + n % 7), 0.1 * (n // 7)): (n / 48, 0.01) for n in range(49)}
    axes = draw_heatmap([Panel(cells)], NAMES, "AE", 1, "Simulation").axes[0]
    mesh, numbers = axes.collections[0], axes.texts[:-2]
    assert len(numbers) == 2 * len(cells)
    for text, (auc, _) in zip(numbers[::2], cells.values(), strict=True):
        assert contrast(to_rgb(text.get_color()), to_rgb(mesh.cmap(mesh.norm(auc)))) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)) == pytest.approx(21.0)
    # The grey #767676 is known as the lightest that may stand on white.
    assert contrast(to_rgb("#767676"), (1.0, 1.0, 1.0)) == pytest.approx(4.54, abs=0.005)
    assert readable_colour(to_rgb("#3f90da")) == "black"
    assert readable_colour(to_rgb("#0b3d91")) == "white"


@pytest.mark.parametrize("label", ["Simulation", "CMS Simulation Preliminary, 138 fb$^{-1}$ (13 TeV)" * 2])
def test_words_of_a_long_heading_do_not_collide(label: str) -> None:
    figure = draw_heatmap([Panel(DEFAULT)], NAMES, "nae_logcosh, epoch of lowest W before divergence", 2, label)
    with figure_style():
        figure.draw_without_rendering()
    axes = figure.axes[0]
    frame = axes.get_window_extent()
    assert frame.width > 0.7 * figure.bbox.width
    assert apart(axes.texts[-2:])
    for text in axes.texts[-2:]:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert frame.y1 <= box.y0 < box.y1 <= figure.bbox.y1


def test_headings_of_two_panels_do_not_collide() -> None:
    panels = [Panel(DEFAULT, against) for against in ("top", "QCD")]
    figure = draw_heatmap(panels, NAMES, "WNAE ensemble", 0, "Simulation")
    with figure_style():
        figure.draw_without_rendering()
    assert all(apart(axes.texts[-2:]) for axes in figure.axes[:2])


def rectangle(columns: int, rows: int) -> Cells:
    return {(500.0 + 12.25 * i, round(0.011 * k, 3)): (0.8, 0.01) for i in range(columns) for k in range(rows)}


def apart(texts: list[Text]) -> bool:
    """Say whether no box of a text crosses the next one's, in their order along an axis."""
    boxes = [text.get_window_extent() for text in texts]
    return not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))


GRIDS = {
    "default": DEFAULT,
    "paper": PAPER,
    **{f"{n} x {m}": rectangle(n, m) for n, m in ((1, 1), (12, 6), (20, 6), (4, 16), (20, 20), (40, 1), (1, 40))},
    **{f"{n} x {m}": rectangle(n, m) for n, m in ((30, 12), (3, 80), (100, 100))},
}


@pytest.mark.parametrize("cells", GRIDS.values(), ids=GRIDS)
def test_texts_stay_in_their_cells_and_apart(cells: Cells) -> None:
    figure = draw_heatmap([Panel(cells)], NAMES, "NAE (log cosh)", 10, "Simulation")
    with figure_style():
        figure.draw_without_rendering()
    axes = figure.axes[0]
    columns, rows = (len({point[axis] for point in cells}) for axis in (0, 1))
    inside, heading = axes.texts[:-2], axes.texts[-2:]
    for text in inside:
        box = text.get_window_extent()
        left, bottom = axes.transData.transform([math.floor(number) for number in text.xy])
        right, top = axes.transData.transform([math.floor(number) + 1 for number in text.xy])
        # Letters stand on whole pixels.
        assert left < box.x0 < box.x1 < right
        assert bottom - 1 < box.y0 < box.y1 < top + 1
        assert text.get_fontsize() >= SMALLEST
    if any("±" in text.get_text() for text in inside):
        assert all(apart([above, below]) for above, below in zip(inside[::2], inside[1::2], strict=True))
    assert apart(heading)
    for labels, count in ((axes.get_xticklabels(), columns), (axes.get_yticklabels(), rows)):
        assert apart(labels)
        assert len(labels) >= min(count, 10)


@pytest.mark.parametrize(
    ("columns", "rows", "words"),
    [(8, 6, ["0.80", "± 0.01"]), (30, 12, ["0.80"]), (4, 50, ["0.80"]), (40, 3, []), (3, 80, [])],
)
def test_numbers_that_cannot_be_read_are_left_out(columns: int, rows: int, words: list[str]) -> None:
    figure = draw_heatmap([Panel(rectangle(columns, rows))], NAMES, "AE", 1, "Simulation")
    assert texts(figure)[:-2] == words * (columns * rows)
    said = {
        2: "",
        1: "Too many cells for uncertainties: see the AUC table.",
        0: "Too many cells for numbers: see the AUC table.",
    }
    assert figure.get_supxlabel() == said[len(words)]
    write_note(figure, "Test jets: 8 top.")
    assert figure.get_supxlabel().replace("\n", " ") == f"{said[len(words)]} Test jets: 8 top.".lstrip()


def test_fewer_labels_stand_at_their_own_cells() -> None:
    axes = draw_heatmap([Panel(rectangle(60, 90))], NAMES, "AE", 1, "Simulation").axes[0]
    for labels, first, step in ((axes.get_xticklabels(), 500.0, 12.25), (axes.get_yticklabels(), 0.0, 0.011)):
        assert len(labels) < 60
        for label in labels:
            cell = max(label.get_position()) - 0.5
            assert label.get_text() == f"{round(first + step * cell, 3):g}"
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {90.0}


def test_one_seed_is_one_seed() -> None:
    assert texts(draw_heatmap([Panel(DEFAULT)], NAMES, "isolation forest", 1, "Own work"))[-2:] == [
        "Own work",
        "isolation forest, 1 seed",
    ]
    mean = texts(draw_heatmap([Panel(DEFAULT)], NAMES, "wnae ensemble", 0, "Simulation"))
    assert mean[-1] == "wnae ensemble, mean of seeds' scores"


def test_no_cell_is_an_error() -> None:
    with pytest.raises(FigureError, match="AE: no signal to put into a heatmap"):
        draw_heatmap([Panel({})], NAMES, "AE", 1, "Simulation")


@pytest.mark.parametrize("suffix", [".pdf", ".png"])
def test_the_same_cells_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for path in paths:
        save_figure(draw_heatmap([Panel(DEFAULT)], NAMES, "WNAE", 2, "Simulation"), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_figures_need_neither_torch_nor_root() -> None:
    code = (
        "import sys, oddjet.plotting.heatmap, oddjet.plotting.history, oddjet.evaluation.history;"
        "import oddjet.evaluation.summary;"
        "assert not {'torch', 'uproot', 'fastjet', 'pythia8', 'sklearn', 'numba', 'awkward'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


ROWS = [
    AucRow(
        "wnae",
        seed,
        f"svj_mphi-2000_rinv-{r}",
        {"m_phi": 2000.0, "r_inv": float(r.replace("p", "."))},
        auc,
        0.01,
        300,
        2000,
    )
    for seed in (1, 2)
    for r, auc in (("0p1", 0.9), ("0p3", 0.8))
]


def test_what_was_selected_stands_between_the_jets_and_their_errors() -> None:
    figure = heatmap_of(ROWS, "WNAE", Titles(), "Simulation", selection=r"$p_\mathrm{T}$ > 300 GeV")
    note = " ".join(figure.get_supxlabel().split())
    assert note.startswith(r"Test jets: 2000 background, 300 of each signal. $p_\mathrm{T}$ > 300 GeV. ±: statistical")
    plain = heatmap_of(ROWS, "WNAE", Titles(), "Simulation")
    assert "each signal. ±: statistical" in " ".join(plain.get_supxlabel().split())


def test_the_script_writes_both_files(tmp_path: Path) -> None:
    write_rows(tmp_path / "wnae.csv", ROWS, AucRow)
    pdf, png = tmp_path / "figures" / "a.pdf", tmp_path / "figures" / "a.png"
    command = ["workflow/scripts/plot_heatmap.py", "--auc", str(tmp_path / "wnae.csv")]
    command += ["--output", str(pdf), str(png)]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    assert pdf.read_bytes().startswith(b"%PDF")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_table_of_two_methods_or_of_a_doubled_point_is_refused() -> None:
    other = AucRow("ae", 1, "svj_0.1", {"m_phi": 2000.0, "r_inv": 0.1}, 0.5, 0.01, 300, 2000)
    with pytest.raises(EvaluationError, match="one heatmap shows one method; the AUC table holds ae, wnae"):
        averages_of_method([*ROWS, other])
    doubled = [replace(other, signal=name) for name in ("m_dark_20", "m_dark_40")]
    with pytest.raises(
        AxesError,
        match=r"^signals: m_dark_20 and m_dark_40 are both at m_phi 2000, r_inv 0\.1 \(to six digits\); move one$",
    ):
        points_of(doubled)
    assert list(averages_of_method(ROWS)) == list(points_of(ROWS)) == [row.signal for row in ROWS[:2]]
