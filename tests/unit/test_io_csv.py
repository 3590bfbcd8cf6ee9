"""Tables of results as CSV: what is written is what is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oddjet.errors import TableError
from oddjet.evaluation.auc import AucRow
from oddjet.io.csv import read_rows, write_rows


@dataclass(frozen=True)
class Kind:
    """One field of each type."""

    name: str
    count: int
    chosen: bool
    value: float
    paper: float | None


ROW = Kind("a, b", 3, True, 1 / 3, None)
AUC_HEADER = "method,seed,signal,m_phi,r_inv,auc,auc_error,n_signal,n_background,background"


def test_tables_survive_writing_and_reading(tmp_path: Path) -> None:
    rows = [ROW, replace(ROW, chosen=False, value=math.inf, paper=0.5), replace(ROW, value=math.nan, name="")]
    write_rows(tmp_path / "rows.csv", rows, Kind)
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    assert lines == [
        "name,count,chosen,value,paper",
        '"a, b",3,1,0.33333333,',
        '"a, b",3,0,inf,0.5',
        ",3,1,,",
    ]
    first, second, third = read_rows(tmp_path / "rows.csv", Kind)
    assert first == replace(ROW, value=0.33333333)
    assert second == rows[1]
    assert math.isnan(third.value)
    assert third.paper is None


@dataclass(frozen=True)
class Spread:
    """A mapping among the fields."""

    name: str
    point: Mapping[str, float]
    value: float


def test_a_mapping_is_a_column_a_key(tmp_path: Path) -> None:
    rows = [Spread("a", {"y": 1.5}, 1.0), Spread("b", {}, 2.0), Spread("c", {"x": 0.1, "y": 3.0}, math.inf)]
    write_rows(tmp_path / "rows.csv", rows, Spread)
    assert (tmp_path / "rows.csv").read_text().splitlines() == ["name,y,x,value", "a,1.5,,1", "b,,,2", "c,3,0.1,inf"]
    assert read_rows(tmp_path / "rows.csv", Spread) == rows
    write_rows(tmp_path / "none.csv", rows[1:2], Spread)
    assert (tmp_path / "none.csv").read_text() == "name,value\nb,2\n"
    assert read_rows(tmp_path / "none.csv", Spread) == rows[1:2]
    with pytest.raises(TableError, match=r"rows\.csv: point has the key 'value', which is the name of a column"):
        write_rows(tmp_path / "rows.csv", [Spread("a", {"value": 1.0}, 1.0)], Spread)
    (tmp_path / "rows.csv").write_text("name,x,value\na,wide,1\n")
    with pytest.raises(TableError, match="line 2: x is 'wide', not float"):
        read_rows(tmp_path / "rows.csv", Spread)


def test_all_digits_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.csv", [ROW], Kind, digits=None)
    assert read_rows(tmp_path / "rows.csv", Kind) == [ROW]
    # As a spreadsheet writes it.
    (tmp_path / "rows.csv").write_text((tmp_path / "rows.csv").read_text(), encoding="utf-8-sig")
    assert read_rows(tmp_path / "rows.csv", Kind) == [ROW]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns are none, expected method"),
        ("method,seed\nae,1\n", "columns are method, seed, expected"),
        (f"{AUC_HEADER}\n", "no row"),
        (f"{AUC_HEADER}\nae,one,s,1,1,1,1,1,1,top\n", "line 2: seed is 'one', not int"),
        (f"{AUC_HEADER}\nae,,s,1,1,1,1,1,1,top\n", "line 2: seed is '', not int"),
        (f"{AUC_HEADER}\nae,1,s,1\n", "line 2: auc is None"),
        (f"{AUC_HEADER}\nae,1,s,1,1,1,1,1,1,top,1\n", "line 2 has more fields than columns"),
    ],
)
def test_a_file_that_is_no_such_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "auc.csv").write_text(text)
    with pytest.raises(TableError, match=rf"auc\.csv: .*{message}"):
        read_rows(tmp_path / "auc.csv", AucRow)
    with pytest.raises(TableError, match=r"absent\.csv: not a readable"):
        read_rows(tmp_path / "absent.csv", Kind)


def test_truth_is_0_or_1(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("name,count,chosen,value,paper\na,1,True,1,1\n")
    with pytest.raises(TableError, match="line 2: chosen is 'True', not bool"):
        read_rows(tmp_path / "rows.csv", Kind)
