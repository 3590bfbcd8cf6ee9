"""The numbers of the tiny run are those recorded in `tiny/`: no move of code may change one.

Where a change of the arithmetic is meant, record them anew, and say in the commit why they changed:

    snakemake --cores 2 --configfile config/test/tiny.yaml --directory FOLDER
    cp FOLDER/results/jets/merit.csv FOLDER/results/jets/leaderboard.csv tests/workflow/tiny/
"""

import csv
import math
from pathlib import Path

import pytest

RECORDED = Path(__file__).with_name("tiny")
# The files have 8 digits.
RELATIVE, ABSOLUTE = 1e-6, 1e-9

pytestmark = pytest.mark.slow


def rows(path: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """Read a table by what names a row: all columns of words and of the grid."""
    with path.open(newline="") as file:
        names = ("method", "seed", "signal", "m_phi", "r_inv", "merit")
        return {tuple(row.get(name, "") for name in names): row for row in csv.DictReader(file)}


def same(found: str, recorded: str) -> bool:
    """Compare two fields: as numbers where they are."""
    try:
        return math.isclose(float(found), float(recorded), rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    except ValueError:
        return found == recorded


@pytest.mark.parametrize("table", ["leaderboard.csv", "merit.csv"])
def test_the_tables_of_the_tiny_run_are_those_recorded(finished, table):
    found, recorded = (rows(folder / table) for folder in (finished.folder / "results/jets", RECORDED))
    assert len(recorded) > 25
    assert found.keys() == recorded.keys()
    different = {
        key: {name: (found[key][name], value) for name, value in row.items() if not same(found[key][name], value)}
        for key, row in recorded.items()
    }
    assert {key: values for key, values in different.items() if values} == {}
