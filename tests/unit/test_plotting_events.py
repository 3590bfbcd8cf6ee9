"""Figures and pages of whole events: what they show of their tables."""

import itertools
import math

import numpy as np
import pytest
from matplotlib.text import Text

from markdown_cells import cells_of
from oddjet.errors import FigureError
from oddjet.events.figures import costs, curve_panels
from oddjet.events.merit_tables import CurvePoint, Latency, Summary
from oddjet.events.pages import ComparedNumber, Table, compared_numbers, latency_markdown, table_markdown, tables
from oddjet.events.paper import TABLE_1
from oddjet.io.csv import write_rows
from oddjet.plotting.events import Cost, draw_costs, draw_curves
from oddjet.plotting.style import figure_style
from oddjet.titles import Titles

SUMMARIES = {
    ("ot_3d", "a_4l", "auc"): Summary(0.84, 0.01, math.nan, math.nan),
    ("ot_3d", "a_4l", "rejection"): Summary(18.0, 3.0, 0.3, 2.0),
    ("ot_3d", "a_4l", "largest_improvement"): Summary(1.7, 0.1, 0.7, math.nan),
    ("ot_3d_svm_labels", "a_4l", "auc"): Summary(0.7, 0.02, math.nan, math.nan),
    ("ot_3d_svm_labels", "a_4l", "rejection"): Summary(9.0, 1.0, 0.3, 1.0),
    ("total_pt", "a_4l", "rejection"): Summary(math.inf, math.nan, 0.3, math.nan),
}


def points(kind: str) -> list[CurvePoint]:
    grid = np.linspace(0.01, 1, 100)
    return [CurvePoint(kind, "a_4l", float(x), 1 - x, 0.1, math.sqrt(x) if x >= 0.2 else math.nan, 0.05) for x in grid]


@pytest.mark.parametrize("kind", ["roc", "si"])
def test_curves_show_the_methods_that_are_there(kind):
    panels = curve_panels(points("ot_3d"), SUMMARIES, ["ot_2d", "ot_3d"], kind, Titles())
    assert [curve.title for curve in panels["A"]] == ["3D OT"]
    assert panels["A"][0].legend == (", 0.840" if kind == "roc" else ", 1.70")
    axes = draw_curves(panels, "Simulation", "y", kind).axes[0]
    line = axes.lines[1]
    assert len(line.get_xdata()) == (100 if kind == "roc" else 81)
    assert axes.get_legend().get_texts()[0].get_text().startswith("3D OT")


def test_figures_without_content_are_refused():
    with pytest.raises(FigureError, match="0 curves"):
        draw_curves({"A": []}, "Simulation", "y", "roc")
    with pytest.raises(FigureError, match="no score"):
        draw_costs([], "Simulation")


def test_costs_are_drawn_with_their_names():
    rows = [Latency("ot_3d", 12.0, 400, ", exact by bounds"), Latency("unknown", 1.0, 0, "")]
    shown = costs(rows, SUMMARIES, Titles())
    assert [(cost.title, cost.microseconds, cost.auc) for cost in shown] == [("3D OT, exact by bounds", 12.0, 0.84)]
    figure = draw_costs(shown, "Simulation")
    assert "3D OT, exact by bounds" in [text.get_text() for text in figure.axes[0].texts]


def test_names_of_costs_stay_apart_and_in_the_frame():
    rows = [Cost(f"3D OT, N = {number}, exact by bounds", 10.0 + number, 0.8, 0.01) for number in range(6)]
    rows += [Cost("support vectors, nested", 5000.0, 0.805, math.nan), Cost("total pT", 0.01, 0.6, 0.02)]
    figure = draw_costs(rows, "Simulation")
    with figure_style():
        figure.draw_without_rendering()
    (axes,) = figure.axes
    names = [text for text in axes.texts if text.get_text() not in ("Simulation", "")]
    assert sorted(text.get_text() for text in names) == sorted(cost.title for cost in rows)
    # Of the words alone, without the lines that lead from them to their points.
    boxes = [Text.get_window_extent(text) for text in names]
    frame = axes.get_window_extent()
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert all(frame.x0 <= box.x0 < box.x1 <= frame.x1 and frame.y0 <= box.y0 < box.y1 <= frame.y1 for box in boxes)
    for box in boxes:
        assert not any(box.contains(*axes.transData.transform((cost.microseconds, cost.auc))) for cost in rows)


def test_pages_give_the_papers_numbers_beside_ours_and_labels_one_efficiency(tmp_path):
    table = Table("Table 1", ["ot_3d", "ot_3d_svm_labels"], TABLE_1)
    page = table_markdown(table, SUMMARIES, ["a_4l"], Titles())
    assert ["3D OT", "0.84 ± 0.01 (0.837 ± 0.0088)"] in cells_of(page)
    assert ["3D OT", "18 ± 3 [2] (17.68 ± 3.1)"] in cells_of(page)
    assert ["3D OT", "1.7 ± 0.1 at 0.70 (1.637 ± 0.077 at 0.73)"] in cells_of(page)
    assert page.count("SVM, labels") == 1
    write_rows(tmp_path / "table1.csv", compared_numbers(table, SUMMARIES, ["a_4l"]), ComparedNumber, digits=6)
    lines = (tmp_path / "table1.csv").read_text().splitlines()
    assert "auc,ot_3d,a_4l,0.84,0.01,,,0.837,0.0088,," in lines
    assert not any(line.startswith("rejection,ot_3d_svm_labels") for line in lines)
    useless = table_markdown(Table("Table 2", ["total_pt"], {}), SUMMARIES, ["a_4l"], Titles())
    assert ["total pT", "no background left"] in cells_of(useless)


def test_every_method_has_a_table():
    methods = [
        "ot_2d",
        "ot_2d_n100",
        "ot_3d_n100",
        "ot_3d_pt30",
        "ot_3d_medoids5",
        "total_pt",
        "wnae",
        "ot_3d_svm_paper",
    ]
    laid_out = tables(methods, ["2D"])
    shown = [name for table in laid_out.values() for name in table.columns]
    assert set(methods) <= set(shown)
    # The paper's numbers, for which it gives no N, stand beside ours of any N.
    assert [name for name in laid_out["table1"].columns if name.startswith("ot_2d")] == ["ot_2d", "ot_2d_n100"]
    few = {("ot_2d_n100", "a_4l", "auc"): Summary(0.66, 0.01, math.nan, math.nan)}
    page = table_markdown(laid_out["table1"], few, ["a_4l"], Titles())
    assert ["2D OT, N = 100", "0.66 ± 0.01 (0.6544 ± 0.011)"] in cells_of(page)
    assert "AE-Raw" in laid_out["table2"].columns
    text = latency_markdown([Latency("ot_3d", 12.0, 4000, "")], SUMMARIES, ["a_4l"], Titles())
    assert ["3D OT", "12", "4", "0.840", "0.840"] in cells_of(text)
