"""Write the leaderboard to read (Markdown): all methods with all figures of merit, and the supervised ceilings."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow
from oddjet.evaluation.leaderboard_table import write_leaderboard
from oddjet.evaluation.merit import AucRow
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/write_leaderboard.py --leaderboard results/jets/leaderboard.csv \\
      --grid results/jets/grid_means.csv --merit results/jets/merit.csv --ceilings results/jets/ceilings.csv \\
      --output leaderboard.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--leaderboard", type=Path, required=True, help="AUC of all methods (CSV)")
    arguments.add_argument("--grid", type=Path, required=True, help="their means over the grid (CSV)")
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit of all methods (CSV)")
    arguments.add_argument("--ceilings", type=Path, help="AUC of supervised trees (CSV)")
    arguments.add_argument("--approximate", nargs="*", default=[], help="methods whose loss is approximate transport")
    arguments.add_argument("--output", type=Path, required=True, help="table to write (Markdown)")
    given = arguments.parse_args()
    ceilings = [] if given.ceilings is None else read_rows(given.ceilings, AucRow)
    rows, grid = read_rows(given.leaderboard, AucRow), read_rows(given.grid, GridRow)
    text = write_leaderboard(rows, grid, read_rows(given.merit, MeritRow), ceilings, given.approximate)
    write_text(given.output, text)
    inputs = [path for path in (given.leaderboard, given.grid, given.merit, given.ceilings) if path is not None]
    settings = json.dumps({"approximate": given.approximate})
    write_origin("write_leaderboard", settings, inputs, [given.output])


if __name__ == "__main__":
    execute(main)
