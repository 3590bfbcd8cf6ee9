"""The look of all figures: letters that a PDF holds as TrueType."""

import ast
import inspect
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from oddjet.plotting.style import figure_style, save_figure, write_heading, write_note
from oddjet.report import comparison_figures, method_figures
from oddjet.report.figures import errors_in_words, jets_in_words

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """A figure with words, numbers, formulas and signs that the style's letters lack."""
    with figure_style():
        figure = Figure(figsize=(8, 8), layout="constrained")
        axes = figure.subplots()
        axes.set_yscale("log")
        axes.set_xlabel(r"$m_{\Phi}$ [GeV], $r_{\mathrm{inv}}$, $\tau_{21}$, 1/$\epsilon_b$, ± ≤ ×")
        axes.set_ylabel(r"$\sqrt{\hat{s}} \to \uparrow$ and bold words", weight="bold")
        write_heading(axes, "Simulation", "WNAE, 2 seeds")
    save_figure(figure, tmp_path / "figure.pdf")
    return tmp_path / "figure.pdf"


def test_letters_are_truetype_and_the_styles_own(pdf: Path) -> None:
    content = pdf.read_bytes()
    assert b"/Type3" not in content
    assert b"/FontFile3" not in content
    embedded = set(re.findall(rb"/FontName /[A-Z]{6}[+]([\w-]+)", content))
    assert {b"FiraSans-Regular", b"FiraSans-Italic", b"FiraSans-Bold"} <= embedded
    assert all(name.startswith((b"FiraSans", b"STIX")) for name in embedded)


def test_poppler_finds_nothing_wrong_with_them(pdf: Path) -> None:
    if shutil.which("pdffonts") is None:
        pytest.skip("needs pdffonts of poppler-utils")
    done = subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    rows = done.stdout.splitlines()[2:]
    assert rows
    assert all(re.search(r" CID TrueType +Identity-H +yes yes yes ", row) for row in rows), done.stdout


@pytest.mark.parametrize("legend", [True, False])
def test_a_note_stands_below_the_axes_and_changes_nothing_in_them(legend: bool) -> None:
    formula = r"$m_{\Phi} = 2000$ and more"
    with figure_style():
        figure = Figure(figsize=(8, 8), layout="constrained")
        axes = figure.subplots()
        axes.plot([1, 2], label="a line")
        axes.set_xlabel("epoch")
        if legend:
            figure.legend(loc="outside lower center")
        figure.draw_without_rendering()
        before = axes.get_window_extent()
        write_note(figure, " ".join(["Test jets: 2136 top."] * 7 + [formula]))
        figure.draw_without_rendering()
    after = axes.get_window_extent()
    assert after.width == pytest.approx(before.width, abs=2)
    assert after.height == pytest.approx(before.height, rel=0.02)
    text = figure.legends[0].get_title() if legend else figure.texts[-1]
    assert formula in text.get_text()
    assert text.get_text().count("\n") > 1
    box = text.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert 0 <= box.y0 < box.y1 <= axes.xaxis.label.get_window_extent().y0


def test_a_note_says_how_many_jets_and_which_error() -> None:
    words = jets_in_words({"top": [2136, 2136], "QCD": [3059]}, {"a": 489, "b": 381, "c": 400})
    assert words == "Test jets: 2136 top, 3059 QCD, 381 to 489 of each signal."
    assert jets_in_words({"": [7, 9]}, {"a": 5}, "Jets") == "Jets: 7 to 9 background, 5 of the signal."
    assert jets_in_words({"top": [8]}, {}) == "Test jets: 8 top."
    assert errors_in_words(1) == errors_in_words(0) == "±: statistical error."
    assert errors_in_words(2) == "±: statistical error and standard deviation of 2 seeds, in quadrature."


def test_every_figure_has_a_note() -> None:
    """But for drawings that show no data: each program gives one, or draws what has one already."""
    of_methods = {"plot_methods": method_figures.FIGURES, "plot_comparison": comparison_figures.FIGURES}
    for path in SCRIPTS.glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        written = [call for call in calls if getattr(call.func, "id", "") == "write_figure"]
        if path.stem not in ("plot_sketch", "plot_heatmap", *of_methods):
            assert all(len(call.args) == 6 for call in written), path.name
    heatmap = inspect.getsource(method_figures.heatmap_of)
    for draw in [one for figures in of_methods.values() for one in figures.values()]:
        assert "write_note" in inspect.getsource(draw) or (draw is method_figures.heatmap and "write_note" in heatmap)
