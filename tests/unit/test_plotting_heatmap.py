"""The heatmap: what it says, that nothing overlaps, that the same table gives the same bytes."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from math import nan
from pathlib import Path

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from oddjet.errors import EvaluationError, FigureError
from oddjet.evaluation.merit import AucRow
from oddjet.evaluation.summary import average_over_points
from oddjet.io.csv import write_rows
from oddjet.plotting.heatmap import SMALLEST, draw_heatmap
from oddjet.plotting.style import figure_style, method_title, save_figure

Cells = dict[tuple[float, float], tuple[float, float]]
DEFAULT = {(m, r): (0.9 - 0.5 * r, 0.012) for m in (1000.0, 2000.0, 3000.0) for r in (0.1, 0.3, 0.5, 0.7)}
PAPER = {
    (m, r): (0.05, 0.1) for m in (600.0, 800.0, 1000.0, 1500.0, 2000.0, 3000.0, 4000.0) for r in (0.1, 0.3, 0.5, 0.7)
}


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_cell_says_its_value_and_its_uncertainty() -> None:
    figure = draw_heatmap({(2000.0, 0.1): (0.876, 0.0123), (1000.0, 0.3): (0.4, 0.034)}, "wnae", 5, "Simulation")
    assert texts(figure) == ["0.88", "± 0.01", "0.40", "± 0.03", "Simulation", "WNAE, 5 seeds"]
    axes, bar = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1000", "2000"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.1", "0.3"]
    assert bar.get_ylabel() == "AUC"


def test_a_point_without_an_auc_stays_hatched() -> None:
    figure = draw_heatmap({(2000.0, 0.1): (0.876, 0.0123), (1000.0, 0.1): (nan, nan)}, "wnae", 5, "Simulation")
    assert texts(figure) == ["0.88", "± 0.01", "Simulation", "WNAE, 5 seeds"]
    assert figure.axes[0].collections[0].get_array().mask.tolist() == [[True, False]]


def test_the_colours_run_from_zero_to_one_with_white_in_the_middle() -> None:
    mesh = draw_heatmap(DEFAULT, "ae", 1, "Simulation").axes[0].collections[0]
    assert (mesh.norm.vmin, mesh.norm.vmax) == (0.0, 1.0)
    assert min(to_rgb(mesh.cmap(mesh.norm(0.5)))) > 0.95
    low, high = to_rgb(mesh.cmap(mesh.norm(0.2))), to_rgb(mesh.cmap(mesh.norm(0.8)))
    assert low[0] > low[2]
    assert high[2] > high[0]


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
    figure = draw_heatmap(cells, "nae_logcosh", 10, "Simulation")
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
    figure = draw_heatmap(rectangle(columns, rows), "ae", 1, "Simulation")
    assert texts(figure)[:-2] == words * (columns * rows)


def test_fewer_labels_stand_at_their_own_cells() -> None:
    axes = draw_heatmap(rectangle(60, 90), "ae", 1, "Simulation").axes[0]
    for labels, first, step in ((axes.get_xticklabels(), 500.0, 12.25), (axes.get_yticklabels(), 0.0, 0.011)):
        assert len(labels) < 60
        for label in labels:
            cell = max(label.get_position()) - 0.5
            assert label.get_text() == f"{round(first + step * cell, 3):g}"
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {90.0}


def test_one_seed_is_one_seed_and_other_methods_keep_their_names() -> None:
    assert texts(draw_heatmap(DEFAULT, "isolation_forest", 1, "Own work"))[-2:] == [
        "Own work",
        "isolation forest, 1 seed",
    ]
    assert [method_title(name) for name in ("ae", "nae", "wnae")] == ["AE", "NAE", "WNAE"]


def test_no_cell_is_an_error() -> None:
    with pytest.raises(FigureError, match="method ae: no signal with m_phi and r_inv"):
        draw_heatmap({}, "ae", 1, "Simulation")


@pytest.mark.parametrize("suffix", [".pdf", ".png"])
def test_the_same_cells_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for path in paths:
        save_figure(draw_heatmap(DEFAULT, "wnae", 2, "Simulation"), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    if suffix == ".pdf":
        # Fonts are embedded as TrueType: text can be selected, and it is the style's font, not a fallback.
        assert b"TeXGyreHeros" in paths[0].read_bytes()


def test_figures_need_neither_torch_nor_root() -> None:
    code = (
        "import sys, oddjet.plotting.heatmap, oddjet.plotting.history, oddjet.evaluation.history;"
        "import oddjet.evaluation.summary;"
        "assert not {'torch', 'uproot', 'fastjet', 'pythia8', 'sklearn', 'numba', 'awkward'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


ROWS = [
    AucRow("wnae", seed, f"svj_mphi-2000_rinv-{r}", 2000.0, float(r.replace("p", ".")), auc, 0.01, 300, 2000)
    for seed in (1, 2)
    for r, auc in (("0p1", 0.9), ("0p3", 0.8))
]


def test_the_script_writes_both_files(tmp_path: Path) -> None:
    write_rows(tmp_path / "wnae.csv", ROWS, AucRow)
    pdf, png = tmp_path / "figures" / "a.pdf", tmp_path / "figures" / "a.png"
    command = [sys.executable, "workflow/scripts/plot_heatmap.py", "--auc", str(tmp_path / "wnae.csv")]
    command += ["--output-pdf", str(pdf), "--output-png", str(png)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert pdf.read_bytes().startswith(b"%PDF")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_table_of_two_methods_or_of_a_doubled_point_is_refused() -> None:
    other = AucRow("ae", 1, "svj_mphi-2000_rinv-0p1", 2000.0, 0.1, 0.5, 0.01, 300, 2000)
    with pytest.raises(EvaluationError, match="one heatmap shows one method; the AUC table holds ae, wnae"):
        average_over_points([*ROWS, other])
    doubled = [AucRow("ae", 1, name, 2000.0, 0.1, 0.5, 0.01, 300, 2000) for name in ("m_dark_20", "m_dark_40")]
    with pytest.raises(
        EvaluationError, match=r"m_dark_20 and m_dark_40 share the grid point m_phi 2000 GeV, r_inv 0\.1"
    ):
        average_over_points(doubled)
    assert list(average_over_points(ROWS)) == [(2000.0, 0.1), (2000.0, 0.3)]
