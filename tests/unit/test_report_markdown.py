"""The writer of Markdown tables, and values with their errors."""

import math

import pytest

from markdown_cells import cells_of
from oddjet.errors import EvaluationError
from oddjet.report.markdown import markdown_table, with_errors

TABLE = [
    ["method", "AUC", "seeds", "epoch"],
    ["WNAE", "0.912 ± 0.003", "10", "-"],
    ["3D OT", "0.9 (0.88)", "5", ""],
]


def test_numbers_stand_to_the_right_and_words_to_the_left():
    assert markdown_table(TABLE) == [
        "| method |           AUC | seeds | epoch |",
        "|--------|--------------:|------:|-------|",
        "| WNAE   | 0.912 ± 0.003 |    10 | -     |",
        "| 3D OT  |    0.9 (0.88) |     5 |       |",
    ]


def test_a_bar_in_a_cell_parts_no_cells():
    lines = markdown_table([["cut", "jets"], ["|eta| < 2.5", "7"]])
    assert lines[2] == r"| \|eta\| < 2.5 |    7 |"
    assert cells_of("\n".join(lines)) == [["cut", "jets"], [r"\|eta\| < 2.5", "7"]]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize("cell", ["1e-05", "-0.179", "+0.003", "1,000", "3", "0.85 ± 0.01 at 0.7", "18 ± 3 [2]"])
def test_cells_with_a_number_first_are_numbers(cell):
    assert markdown_table([["a column with a long title"], [cell]])[1].endswith(":|")


@pytest.mark.parametrize("cell", ["2D", "100k jets", "nan", "top", "-", ""])
def test_cells_with_words_first_are_none(cell):
    assert ":" not in markdown_table([["a"], [cell]])[1]


def test_a_table_of_its_header_alone():
    assert markdown_table([["a", "beta"]]) == ["| a   | beta |", "|-----|------|"]


def test_rows_that_do_not_fit_are_told():
    with pytest.raises(EvaluationError, match="the row b 1 has 2 of 3 cells"):
        markdown_table([["a", "x", "y"], ["b", "1"]])


@pytest.mark.parametrize(
    ("values", "forms", "text"),
    [
        ((0.9123, 0.0031), {}, "0.912 ± 0.003"),
        ((0.9123, 0.0031, 0.02), {}, "0.912 ± 0.003 ± 0.020"),
        ((-0.0123, 0.0031), {"form": "+.3f"}, "-0.012 ± 0.003"),
        ((0.0123, 0.0031), {"form": "+.3f"}, "+0.012 ± 0.003"),
        ((18.2, 3.04), {"form": ".3g", "error_form": ".2g"}, "18.2 ± 3"),
        ((0.5, math.nan), {}, "0.500"),
        ((math.nan, 0.1), {}, "-"),
    ],
)
def test_a_value_with_its_errors(values, forms, text):
    assert with_errors(*values, **forms) == text
