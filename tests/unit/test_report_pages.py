"""The report of a run: one analysis as it is, several side by side, each with its own part of one page."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from oddjet.axes import HeatmapSettings
from oddjet.benchmarks import Cost
from oddjet.errors import TableError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow
from oddjet.evaluation.matrix import Training, matrix_rows
from oddjet.report.findings import Findings, Run, read_run
from oddjet.report.html import write_page
from oddjet.report.pages import report_page
from oddjet.report.settings import Shown
from oddjet.titles import Titles

METHODS = {"wnae": 0.8, "pca": 0.7}
# Names that the page's own anchors have, or that need care in an address.
ANALYSES = ("summary", "run", "a.b-c")


def findings(name: str, figures: dict[str, Path], background: tuple[str, ...] = ("top",)) -> Findings:
    """An analysis with two methods, two seeds and two signals; every analysis is 0.01 better than the one before."""
    shift = 0.01 * ANALYSES.index(name)
    rows = [
        AucRow(method, seed, signal, {"m_phi": m_phi}, auc + shift, 0.01, 300, 900, background[0])
        for method, auc in METHODS.items()
        for seed in (1, 2)
        for signal, m_phi in (("light", 1000.0), ("heavy", 2000.0))
    ]
    grid = [
        GridRow(
            method, 2, auc + shift, 0.01, 0.02, "pca", 0.1 if method == "wnae" else float("nan"), 0.01, background[0]
        )
        for method, auc in METHODS.items()
    ]
    merits = [
        MeritRow(method, seed, "grid", {}, "score_mass_correlation", 0.2, 0.01, float("nan"))
        for method in METHODS
        for seed in (1, 2)
    ]
    record = {
        "oddjet_version": "1.2.3",
        "code_digest": "abc",
        "processor": "x86",
        "packages": json.dumps({"numpy": "2"}),
        "inputs": json.dumps({f"results/{name}/auc/pca.csv": "12ab"}),
    }
    ceilings = [replace(row, method="supervised_trees") for row in rows if row.method == "wnae"]
    epochs = {"wnae": {1: 10, 2: 12}}
    return Findings(name, background, rows, grid, merits, ceilings, epochs, figures, record, Titles())


def run_of(picture: Path, *names: str, matrix: bool = False) -> Run:
    figures = dict.fromkeys(("features", "leaderboard", "auc_heatmap_wnae", "scores_wnae", "training_wnae"), picture)
    analyses = [findings(name, figures) for name in names]
    backgrounds = {
        Training("WNAE", "top"): [
            replace(row, background=name) for name in ("top", "qcd") for row in analyses[0].rows if row.method == "wnae"
        ]
    }
    return Run(
        analyses,
        {"top": [("events_read", 1000), ("jets_passed", 900)], "light": [("events_read", 400), ("jets_passed", 300)]},
        {"top": [], "light": [{"path": "bad.root", "reason": "empty"}]},
        matrix_rows(backgrounds) if matrix else (),
        picture if matrix else None,
        [Cost("score", 2, 5.0, 3.0, 10.0)],
        {"seed": 7},
    )


@pytest.fixture
def picture(tmp_path) -> Path:
    from matplotlib.figure import Figure

    path = tmp_path / "figure.png"
    Figure(figsize=(8, 6)).savefig(path)
    return path


class Read(HTMLParser):
    """Headings with their levels, anchors, links and cells of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.anchors: list[str] = []
        self.links: list[str] = []
        self._level = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.anchors += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if tag == "a" else []
        self._level = int(tag[1]) if re.fullmatch("h[1-6]", tag) else 0

    def handle_data(self, data):
        if self._level:
            self.headings.append((self._level, data))
            self._level = 0


def test_one_analysis_has_a_page_without_parts(picture):
    text = write_page(report_page(run_of(picture, "summary")))
    found = Read(text)
    assert found.headings[0] == (1, "oddjet: summary")
    assert [level for level, _ in found.headings[1:]] == [2] * 11
    assert "<details name" not in text
    assert "All analyses" not in text
    assert "WNAE has the highest mean AUC, 0.800 ± 0.010 (jets) ± 0.020 (seeds), over 2 signals and 900" in text
    assert "Trainings and backgrounds" in write_page(report_page(run_of(picture, "summary", matrix=True)))


def test_every_analysis_has_a_part_and_what_they_share_is_said_once(picture):
    text = write_page(report_page(run_of(picture, *ANALYSES, matrix=True)))
    found = Read(text)
    assert [title for level, title in found.headings if level == 2] == ["All analyses", *ANALYSES, "The run"]
    own = ["Summary", "Leaderboard", "AUC by signal", "Features", "Scores and ROC curves", "Trainings", "Sculpting"]
    shared = ["What was read", "Settings", "Versions and digests", "Time and memory"]
    overview = ["Analyses", "Trainings and backgrounds"]
    assert [title for level, title in found.headings if level == 3] == [*overview, *own * len(ANALYSES), *shared]
    assert len(set(found.anchors)) == len(found.anchors)
    assert {link.removeprefix("#") for link in found.links} <= set(found.anchors)
    assert all(f"#{name}/{part}" in found.links for name in ANALYSES for part in ("analysis", "leaderboard"))
    # The best method of each, with both errors; and the cell of the matrix.
    for auc in ("0.800", "0.810", "0.820"):
        assert f">{auc} ± 0.010 (jets) ± 0.020 (seeds)</td>" in text
    assert "against qcd" in text
    versions = "<caption>Versions that made the leaderboards</caption>"
    for once in ("never flipped", "bad.root", versions, "The whole configuration", "F1 is for equal"):
        assert text.count(once) == 1, once


def test_a_baseline_is_set_against_trained_methods_only_where_there_are_some(picture):
    run = run_of(picture, "summary")
    baseline = replace(run.analyses[0], epochs={}, grid=[row for row in run.analyses[0].grid if row.method == "pca"])
    best = replace(run.analyses[0], grid=[replace(row, reference="wnae") for row in run.analyses[0].grid])
    alone, among = (write_page(report_page(replace(run, analyses=[one]))) for one in (baseline, best))
    assert "The one method, PCA residual, has a mean AUC of 0.700 ± 0.010" in alone
    assert "no trained method does better" not in alone
    assert "Of 2 methods WNAE has the highest mean AUC" in among
    assert "It is a baseline: no trained method does better on these jets." in among


def test_versions_that_differ_have_a_column_each(picture):
    run = run_of(picture, "summary", "run")
    other = replace(run.analyses[1], record={**run.analyses[1].record, "code_digest": "def"})
    text = write_page(report_page(replace(run, analyses=[run.analyses[0], other])))
    rows = re.findall(r"<tr>\s*<th scope=\"row\">code_digest</th>\s*<td>(\w+)</td>\s*<td>(\w+)</td>", text)
    assert rows == [("abc", "def")]


def test_many_signals_are_counted_and_placed(picture):
    run = run_of(picture, "summary", "run")
    first = run.analyses[0]
    rows = [
        replace(row, signal=f"{row.signal}-{place}", point={**row.point, "x": float(place)})
        for row in first.rows
        for place in (1, 2)
    ]
    ceilings = [replace(row, method="supervised_trees") for row in rows if row.method == "wnae"]
    settings = HeatmapSettings.model_validate({"axes": {"x": {"unit": "cm"}}})
    many = replace(first, rows=rows, ceilings=ceilings, titles=Titles(heatmap=settings))
    text = write_page(report_page(replace(run, analyses=[many, run.analyses[1]])))
    assert "4 signals: m_phi 1000 to 2000 GeV, x 1 to 2 cm" in text
    assert "light, heavy" in text


def test_files_of_no_analysis_are_refused(tmp_path):
    with pytest.raises(TableError, match=r"x\.png: does not lie below .*results; give the files of that folder"):
        read_run(tmp_path / "results", {"jets": Shown(background=("top",))}, [], [tmp_path / "x.png"], None)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_leads_to_every_part_by_keyboard(picture, browser, tmp_path, width, scheme):
    path = tmp_path / "report.html"
    path.write_text(write_page(report_page(run_of(picture, *ANALYSES[1:], matrix=True))))
    said = []
    view = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on(
        "request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None
    )
    view.goto(path.as_uri())
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert view.evaluate("[...document.images].every((one) => one.alt && one.naturalWidth > 0)")
    leads = "(a) => document.getElementById(decodeURIComponent(a.hash.slice(1)))"
    assert view.evaluate(f"[...document.querySelectorAll('a')].every({leads})")
    # From the top by Tab alone: past the first part to the one of the last analysis, open it, and on to a section.
    for _ in range(20):
        view.keyboard.press("Tab")
        if view.evaluate("document.activeElement.textContent.trim()") == "a.b-c":
            break
    view.keyboard.press("Enter")
    shown = view.locator("nav details[open] a")
    assert shown.all_text_contents()[:2] == ["Summary", "Leaderboard"]
    assert shown.last.is_visible()
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    view.keyboard.press("Tab")
    view.keyboard.press("Tab")
    view.keyboard.press("Enter")
    assert view.evaluate("decodeURIComponent(location.hash)") == "#a.b-c/leaderboard"
    heading = view.locator("[id='a.b-c/leaderboard']")
    navigation = view.locator("nav").bounding_box()
    assert navigation["height"] <= heading.bounding_box()["y"] < 450
    assert view.locator("nav details[open]").count() == 0
    # Escape closes what is open and stays at its place.
    view.locator("nav summary").first.focus()
    view.keyboard.press("Enter")
    view.keyboard.press("Tab")
    view.keyboard.press("Escape")
    assert view.locator("nav details[open]").count() == 0
    assert view.evaluate("document.activeElement.textContent") == "All analyses"
    view.locator("tbody a", has_text="a.b-c").click()
    assert view.evaluate("decodeURIComponent(location.hash)") == "#a.b-c/analysis"
    assert said == []
