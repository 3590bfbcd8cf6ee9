"""The scores, tables and figures of the target `events`: what is in them."""

import csv
import json
import math
from pathlib import Path

import pytest

from markdown_cells import cells_of
from oddjet.studies.event_merits import EventScores

TARGET = "events"

pytestmark = pytest.mark.slow


def rows(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_score_is_in_the_tables(made):
    folder = made.folder / "results/events"
    methods = {path.parent.name for path in (folder / "scores").glob("*/*.h5")}
    assert methods >= {"ot_2d", "ot_3d", "ot_3d_pt30", "ot_3d_medoids3", "ot_3d_knn", "ot_3d_svm_labels", "ae", "wnae"}
    merit = rows(folder / "merit.csv")
    assert {row["method"] for row in merit} == methods
    assert {(row["signal"], row["set"]) for row in merit} == {(name, n) for name in ("a_4l", "lq_taub") for n in "01"}
    named = {row["method"] for table in [*folder.glob("table?.csv"), folder / "ablations.csv"] for row in rows(table)}
    assert named >= methods
    assert {"AE-Raw", "AnomCLR+", "3D", "2D, planed 50 to 150 GeV"} <= named
    first = next(row for row in rows(folder / "table1.csv") if row["method"] == "ot_3d")
    assert (first["merit"], first["signal"], float(first["paper_mean"])) == ("auc", "a_4l", 0.837)
    shares = EventScores(folder / "scores/ot_3d/seeds-0.h5").of("background")
    assert shares.shape == (60, 1)


def test_the_tables_follow_from_the_test_sets(made):
    folder = made.folder / "results/events"
    values = [
        float(row["value"])
        for row in rows(folder / "merit.csv")
        if (row["method"], row["signal"], row["merit"]) == ("ot_3d", "lq_taub", "auc")
    ]
    found = next(
        row
        for row in rows(folder / "table1.csv")
        if (row["method"], row["signal"], row["merit"]) == ("ot_3d", "lq_taub", "auc")
    )
    mean = sum(values) / 2
    assert float(found["mean"]) == pytest.approx(mean, rel=1e-5)
    assert float(found["sd"]) == pytest.approx(math.sqrt(sum((value - mean) ** 2 for value in values)), rel=1e-4)
    page = (folder / "tables.md").read_text()
    assert any(row[0] == "3D OT" and row[1].startswith("0.") for row in cells_of(page))
    assert "0.8639 ± 0.0043 at 0.89†" in page


def test_costs_name_every_way_and_figures_are_drawn(made):
    folder = made.folder / "results/events"
    costs = {row["method"]: row for row in rows(folder / "latency.csv")}
    assert {"total_pt", "ot_2d", "ot_3d", "ot_3d_linear", "ot_3d_medoids3", "ot_3d_svm", "ae", "wnae"} <= set(costs)
    assert int(costs["ae"]["bytes"]) > 1000
    for name in ("roc", "si", "latency"):
        for suffix in ("pdf", "png"):
            assert (folder / f"figures/{name}.{suffix}").stat().st_size > 5000


def test_choices_are_kept(made):
    folder = made.folder / "results/events/choices"
    assert json.loads((folder / "neighbours.json").read_text())["k"] in (1, 5, 9)
    machine = json.loads((folder / "svm.json").read_text())
    assert machine["scale"] in (1.0, 10.0)
    assert machine["paper"]["gamma"] == 0.35
    assert set(json.loads((folder / "linearised.json").read_text())) == {"pairs", "scores", "excess"}
