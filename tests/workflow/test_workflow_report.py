"""The page of `snakemake --report`: every figure is on it, with a caption and labels, and a browser shows them."""

import json
import zipfile
from pathlib import Path

import pytest

from oddjet.titles import default_title

TINY = ("--configfile", "config/test/tiny.yaml")
TRAINED = ("ae", "nae", "wnae")
METHODS = (*TRAINED, "mahalanobis", "wnae_ensemble")
OF_ALL = {
    "features": ("features", "background and signals"),
    "leaderboard": ("leaderboard", "all methods"),
    "roc": ("ROC curves", "all methods"),
    "sculpting": ("efficiency by mass and pT", "all methods"),
}
OF_ONE = {
    "auc_heatmap": ("AUC over the signal grid", METHODS),
    "scores": ("scores and ROC curves", METHODS),
    "training": ("training by epoch", TRAINED),
}


@pytest.fixture(scope="module")
def page(finished, tmp_path_factory) -> Path:
    """The unpacked page of the tiny run."""
    folder = tmp_path_factory.mktemp("report")
    done = finished.snakemake(*TINY, "--report", str(folder / "report.zip"))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / "report.zip") as content:
        content.extractall(folder)
    return folder / "report/report.html"


def values(page: Path, name: str) -> dict:
    """Return a table that the page's script starts with."""
    start = page.read_text().split(f"var {name} = {{", 1)[1]
    return json.JSONDecoder().raw_decode("{" + start)[0]


@pytest.mark.slow
def test_every_figure_has_a_caption_and_labels(page):
    results = values(page, "results")
    expected = {
        **OF_ALL,
        **{
            f"{kind}_{method}": (words, default_title(method))
            for kind, (words, methods) in OF_ONE.items()
            for method in methods
        },
    }
    shown = {Path(path).stem: tuple(one["labels"].values()) for path, one in results.items()}
    assert shown == expected
    assert all(one["caption"].startswith("<p>") and len(one["caption"]) > 60 for one in results.values())
    assert all(list(one["labels"]) == ["figure", "of"] for one in results.values())
    assert list(values(page, "categories")) == ["jets"]
    assert sorted(path.name for path in page.parent.glob("data/raw/*/*")) == sorted(f"{name}.png" for name in expected)


@pytest.mark.slow
def test_a_browser_shows_a_figure_with_its_caption(page, browser):
    errors = []
    view = browser.new_page(viewport={"width": 1280, "height": 900})
    view.on("pageerror", lambda error: errors.append(str(error)))
    view.goto(page.as_uri())
    view.get_by_role("link", name="Results").click()
    row = view.locator("tr", has_text="leaderboard")
    row.locator("[iconname='information-circle']").click()
    view.get_by_text("All methods by their AUC").wait_for()
    row.locator("[iconname='eye']").click()
    picture = view.locator("img[src*='leaderboard.png']")
    picture.wait_for()
    assert picture.evaluate("(one) => one.naturalWidth") > 500
    assert errors == []
