"""The look of all figures: letters that a PDF holds as TrueType."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from oddjet.plotting.style import figure_style, save_figure, write_heading


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
