"""Train on one background, another one and both, test against each: a matrix in a configuration alone."""

import base64
import json
import re

import numpy as np
import pytest

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import of_training
from oddjet.evaluation.grid import GridRow
from oddjet.evaluation.matrix import MatrixRow, matrix_of
from oddjet.io.csv import read_rows
from oddjet.io.origin import read_origin
from oddjet.io.tables import read_attributes, read_table

MATRIX = ("--configfile", "config/test/matrix.yaml")
PARTS = ("train", "validation", "test")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(run_once):
    return run_once("matrix", "--cores", "2", *MATRIX)[0].folder / "results"


def backgrounds(made, path):
    return list(dict.fromkeys(row.background for row in read_rows(made / path, AucRow)))


def test_every_training_is_tested_against_each_background(made):
    assert backgrounds(made, "both/auc/mahalanobis_qcd.csv") == ["background", "top", "qcd"]
    assert backgrounds(made, "on_top/auc/mahalanobis.csv") == ["top", "qcd"]
    # The same test jets of top, whatever else is in the dataset.
    counts = {
        name: {row.background: row.n_background for row in read_rows(made / f"{name}/auc/mahalanobis.csv", AucRow)}
        for name in ("both", "on_top")
    }
    assert counts["both"]["top"] == counts["on_top"]["top"]
    assert counts["both"]["background"] == counts["both"]["top"] + counts["both"]["qcd"]
    assert counts["on_top"]["qcd"] > counts["both"]["qcd"]
    table = (made / "matrix/matrix.md").read_text()
    for words in ("| top ", "| qcd ", "| each ", "| all, equal shares ", "| all, cross sections "):
        assert words in table
    assert (made / "matrix/matrix.png").read_bytes().startswith(b"\x89PNG")


def test_pages_say_against_which_background(made):
    grid = read_rows(made / "on_top/grid_means.csv", GridRow)
    assert [row.background for row in grid] == ["top", "qcd"]
    page = (made / "on_top/leaderboard.md").read_text()
    assert page.startswith("# Leaderboard, means over the grid, against top\n")
    assert "AUC against qcd" in page
    assert "worst background" in page


def test_the_report_has_a_part_for_every_analysis_and_the_matrix_of_its_table(made):
    report = (made / "report.html").read_text()
    assert len(report) < 15e6
    anchors = re.findall(r' id="([^"]+)"', report)
    assert len(set(anchors)) == len(anchors)
    links = set(re.findall(r'href="#([^"]+)"', report))
    assert links <= set(anchors)
    for name in ("both", "by_cross_section", "on_top"):
        assert {f"{name}/analysis", f"{name}/leaderboard", f"{name}/scores"} <= links
        best = max(of_training(read_rows(made / name / "grid_means.csv", GridRow)), key=lambda row: row.auc)
        assert re.search(rf">{name}</a>.*?>{best.auc:.3f} ± {best.error:.3f} \(jets\)", report, re.DOTALL)
    section = report[report.index('<h3 id="matrix">') :]
    section = section[: section.index("</section>")]
    cells = matrix_of(read_rows(made / "matrix/matrix.csv", MatrixRow))["svj"]
    assert len(cells) == 6
    for trained, against in cells.items():
        words = rf'<th scope="row">{trained.method}</th>\s*<td>{re.escape(trained.background)}</td>\s*<td>svj</td>'
        numbers = "".join(rf"\s*<td [^>]*>{cell}</td>" for cell in against.values())
        assert re.search(words + numbers, section), trained
    picture = base64.b64encode((made / "matrix/matrix.png").read_bytes()).decode()
    assert picture in section
    # Each sample is read once, whichever analyses have it.
    assert len(re.findall(r'<th scope="row">qcd</th>', report[report.index('<h3 id="input">') :])) == 1


def test_the_matrix_alone_is_made_from_its_table(made):
    record = read_origin(made / "matrix/matrix.pdf")
    assert list(json.loads(record["inputs"])) == ["results/matrix/matrix.csv"]


def test_a_mixture_has_the_cross_sections_and_shares_that_the_configuration_says(made):
    cutflows = {name: dict(flow) for name, flow in json.loads((made / "both/cutflow.json").read_text()).items()}
    expected = {
        "by_cross_section": {
            name: sigma * cutflows[name]["jets_passed"] / cutflows[name]["events_read"]
            for name, sigma in (("top", 2.4), ("qcd", 1100))
        },
        "both": dict.fromkeys(("top", "qcd"), sum(cutflows[name]["jets_passed"] for name in ("top", "qcd")) / 2),
    }
    for analysis, wanted in expected.items():
        paths = [made / f"{analysis}/dataset/{part}.h5" for part in PARTS]
        rows = np.concatenate([read_table(path, ["source", "weight"]) for path in paths])
        samples = [sample for sample, _ in json.loads(read_attributes(paths[0])["sources"])]
        sums = {
            name: sum(rows["weight"][rows["source"] == n].sum() for n, s in enumerate(samples) if s == name)
            for name in wanted
        }
        assert sums == pytest.approx(wanted, rel=1e-4)


def test_the_matrix_of_three_backgrounds_is_planned(workspace):
    planned = workspace.planned("--configfile", "config/matrix.yaml", "--", "matrix")
    # Three autoencoders and four baselines on each background and on all, and four methods by cross section.
    assert planned["build_dataset"] == 2
    assert planned["train_model"] == 3 * 4 + 1
    assert planned["fit_baseline"] == 4 * 4 + 3
    assert planned["score"] == 7 * 5 + 4
    assert planned["extract_features"] == 3 * 2 + 1
