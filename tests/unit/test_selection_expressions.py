"""The grammar of cuts, and what its expressions give on arrays written out by hand."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from oddjet.errors import SelectionError
from oddjet.selection.evaluation import numbers, passes
from oddjet.selection.expressions import parse_column, parse_cut

EVENTS = {
    "MET_pt": np.array([250.0, 100.0, 300.0]),
    "HLT_A": np.array([True, True, False]),
    "nPV": np.array([20, 0, 35]),
    "MissingET.MET": np.array([1.0, 2.0, 3.0]),
    "Electron_pt": ak.Array([[12.0, 8.0], [], [9.0]]),
    "Electron_eta": ak.Array([[0.5, -2.6], [], [1.0]]),
    "Electron_id": ak.Array([[3, 6], [], [1]]),
    "Muon_pt": ak.Array([[5.0], [30.0, 6.0], []]),
    "Muon_tight": ak.Array([[True], [False, True], []]),
}


def kept(text: str) -> list[bool]:
    clauses = parse_cut(text)
    return np.logical_and.reduce([passes(clause, EVENTS.__getitem__, 3, "event") for clause in clauses]).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MET_pt > 200", [True, False, True]),
        ("MET_pt > 200 and HLT_A", [True, False, False]),
        ("not HLT_A or nPV == 0", [False, True, True]),
        ("100 < MET_pt <= 250", [True, False, False]),
        ("200 < MET_pt < 400 and nPV != 35", [True, False, False]),
        ("(MET_pt > 200) & HLT_A", [True, False, False]),
        ("MissingET.MET >= 2", [False, True, True]),
        ("count(Electron_pt > 10) == 0", [False, True, True]),
        ("count(Electron_pt) == 1", [False, False, True]),
        ("count(Electron_pt > 7 and abs(Electron_eta) < 2.4) == 1", [True, False, True]),
        ("max(Muon_pt) < 20", [True, False, True]),
        ("max(Muon_pt) > 20", [False, True, False]),
        ("min(Muon_pt) > 5.5", [False, True, True]),
        ("any(Muon_pt > 20)", [False, True, False]),
        ("all(Muon_pt > 5.5)", [False, True, True]),
        ("count(Muon_tight) >= 1", [True, True, False]),
        ("sum(Electron_pt * (Electron_pt > 10)) == 12", [True, False, False]),
        ("any(Electron_id & 4 > 0)", [True, False, False]),
        ("count((Electron_id & 4) != 0) == 1", [True, False, False]),
        ("sum(Muon_pt) - MET_pt < -200", [True, False, True]),
        ("any(Muon_pt > MET_pt / 10)", [False, True, False]),
        ("MET_pt / (nPV * 1.0) > 10", [True, True, False]),
        ("nPV % 10 == 5", [False, False, True]),
        ("sqrt(MET_pt ** 2) > 200 and log(exp(MET_pt / 100)) > 2.6", [False, False, True]),
        ("delta_phi(MET_pt * 0 + 3.1, -3.1) < 0.1", [True, True, True]),
        ("min(delta_r(Electron_eta, 0 * Electron_eta, 0.5, 0.0)) < 0.1", [True, False, False]),
    ],
)
def test_a_cut_keeps_the_events_that_it_should(text: str, expected: list[bool]) -> None:
    assert kept(text) == expected


def test_the_precedence_of_bits_is_that_of_python_and_told() -> None:
    with pytest.raises(SelectionError, match=r"'200 & HLT_A' takes the bits of whole numbers.* write 'and'"):
        kept("MET_pt > 200 & HLT_A")


def test_clauses_at_the_top_come_one_by_one() -> None:
    clauses = parse_cut("MET_pt>200 and (HLT_A and nPV>1) and (nPV > 2 or HLT_A) and MET_pt > 200")
    assert [clause.text for clause in clauses] == ["MET_pt > 200", "HLT_A", "nPV > 1", "nPV > 2 or HLT_A"]
    assert clauses[3].names == ("nPV", "HLT_A")


def test_a_column_is_a_number_a_row() -> None:
    def column(text: str) -> list[float]:
        return numbers(parse_column(text), EVENTS.__getitem__, 3, "event").tolist()

    assert column("HLT_A") == [1.0, 1.0, 0.0]
    assert column("sum(Electron_pt * (Electron_pt > 10)) + nPV") == [32.0, 0.0, 35.0]
    assert column("1") == [1.0, 1.0, 1.0]
    with pytest.raises(SelectionError, match=r"'Electron_pt' has a list of values for each event.*sum\(\.\.\.\)"):
        column("Electron_pt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("MET_pt >", r"'MET_pt >' is no expression: invalid syntax"),
        ("MET_pt > 200 && HLT_A", r"has '&&': write 'and'"),
        ("!HLT_A", r"has '!': write 'not'"),
        ("__import__('os').system('true')", r"is no function here|are all there is"),
        ("open(MET_pt)", r"open\(\.\.\.\) is no function here; there are count, any"),
        ("MET_pt.__class__(1)", r"MET_pt.__class__\(\.\.\.\) is no function here"),
        ("[x for x in MET_pt]", r"are all there is"),
        ("(lambda: 1)() > 0", r"is no function here"),
        ("MET_pt[0] > 1", r"'MET_pt\[0\]': numbers, names"),
        ("'MET_pt' > 1", r"'MET_pt' is no number; a branch is named without quotes"),
        ("f'{MET_pt}' > 1", r"are all there is"),
        ("MET_pt if HLT_A else nPV", r"are all there is"),
        ("(MET_pt := 3) > 1", r"are all there is"),
        ("MET_pt is nPV", r"are all there is"),
        ("MET_pt > 1j", r"1j is no number"),
        ("MET_pt > 10**30 + 10000000000000000000", r"is too large a number"),
        ("count(Electron_pt, 10) == 0", r"count takes 1"),
        ("delta_r(1, 2) < MET_pt", r"delta_r takes 4"),
        ("max > 2", r"max is a function: max\(\.\.\.\)"),
        ("MET_pt + 1", r"'MET_pt \+ 1' is a number, not true or false; compare it"),
        ("HLT_A and count(Electron_pt)", r"'count\(Electron_pt\)' is a number"),
        ("1 > 0", r"names no branch"),
        ("", r"is no expression"),
        ("(" * 3000 + "MET_pt" + ")" * 3000, r"letters; at most|nested|is no expression"),
        ("(" * 900 + "MET_pt" + ")" * 900 + " > 1", r"nested|is no expression"),
        ("-" * 2000 + "MET_pt > 1", r"nested|is no expression"),
    ],
)
def test_what_the_grammar_has_not_is_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_cut(text)
    assert "\n" not in str(caught.value)


def test_an_error_without_words_gets_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python says nothing more than MemoryError of some expressions."""

    def parse(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("oddjet.selection.expressions.ast.parse", parse)
    with pytest.raises(ValueError, match=r"'MET_pt > 1' is no expression: too deeply nested"):
        parse_cut("MET_pt > 1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Electron_pt > 10", r"'Electron_pt > 10' has a list of values for each event.*any\(\.\.\.\)"),
        ("MET_pt", r"'MET_pt' is a number for each event, not true or false; compare it, as in MET_pt > 0"),
        ("MET_pt and HLT_A or nPV > 2", r"'MET_pt' is a number, not true or false"),
        ("any(Electron_pt > Muon_pt)", r"lists of different lengths meet"),
        ("count(MET_pt) > 1", r"count\(MET_pt\): MET_pt is one value and no list; leave count out"),
        ("any(Electron_pt)", r"'Electron_pt' is a number, not true or false"),
    ],
)
def test_shapes_that_do_not_fit_are_one_line_that_names_the_clause(text: str, message: str) -> None:
    with pytest.raises(SelectionError, match=message) as caught:
        kept(text)
    assert "\n" not in str(caught.value)
