"""The page of a report: escaped, whole without the network, and usable in a browser."""

import re

import numpy as np
import pytest

from oddjet.benchmarks import read_costs
from oddjet.evaluation.curves import cut_at
from oddjet.report.html import Cell, Code, Gallery, Page, Picture, Section, Table, Text, write_page


@pytest.fixture
def page(tmp_path):
    from matplotlib.figure import Figure

    picture = tmp_path / "figure.png"
    Figure(figsize=(18, 8)).savefig(picture)
    rows = [[Cell(name), Cell(f"{value:g}", value)] for name, value in (("b", 10.0), ("a", 9.0), ("c", 100.0))]
    wide = [f"a long column {number}" for number in range(20)]
    blocks = [
        Text(["<script>alert(1)</script> & more"]),
        Table("numbers", ["method", "value"], rows),
        Table("wide", wide, [[Cell(name) for name in wide]]),
        Gallery([Picture(picture, "below", "in its place", wide=True)]),
        Gallery([Picture(picture, "below", "in its place")]),
        Code("settings", "seed: 1"),
    ]
    sections = [Section(f"s{number}", f"Section {number}", blocks) for number in range(9)]
    return Page("oddjet", "a report", sections)


def test_words_are_escaped_and_nothing_comes_from_outside(page):
    text = write_page(page)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', text) == []
    assert text.count("<img") == text.count('alt="in its place"') == 18


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_it_without_overflow_or_error(page, browser, tmp_path, width, scheme):
    path = tmp_path / "report.html"
    path.write_text(write_page(page))
    said = []
    view = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.goto(path.as_uri())
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert view.evaluate("[...document.images].every((one) => one.alt && one.naturalWidth > 0)")
    assert view.evaluate("[...document.querySelectorAll('nav a')].every((a) => document.querySelector(a.hash))")
    # Words of a picture that is much broader than high are not smaller on a phone: it scrolls.
    widths = view.evaluate("[...document.images].map((one) => one.getBoundingClientRect().width)")
    assert width > 400 or min(widths) > 600
    view.locator("thead button", has_text="value").first.focus()
    view.keyboard.press("Enter")
    assert view.locator("table").first.locator("tbody th").all_text_contents() == ["a", "b", "c"]
    assert view.locator("#said").text_content() == "Sorted by value, ascending."
    assert said == []


def test_costs_are_those_of_the_analysis(tmp_path):
    head = "s\th:m:s\tmax_rss\tcpu_time\n"
    for name, row in (("jets/ae", "2\t0\t10\t1"), ("jets/nae", "3\t0\t-\t2"), ("other/ae", "9\t0\t1\t1")):
        path = tmp_path / "score" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + row + "\n")
    (cost,) = read_costs(tmp_path, {"jets"})
    assert (cost.rule, cost.jobs, cost.seconds, cost.processor, cost.memory) == ("score", 2, 5.0, 3.0, 10.0)


def test_a_cut_passes_at_most_its_share_of_the_weight():
    scores, weights = np.arange(10.0), np.ones(10)
    assert cut_at(scores, weights, 0.2) == 8.0
    assert cut_at(scores, weights, 0.25) == 8.0
    assert cut_at(scores, np.where(scores == 9.0, 11.0, 1.0), 0.1) == 9.0
