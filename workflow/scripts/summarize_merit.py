"""Put the figures of merit of all methods side by side: one table (CSV) and one summary (Markdown)."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.merit_summary import write_merit_summary
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/summarize_merit.py --merit results/jets/merit/*.csv \\
      --table merit.csv --summary merit.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--merit", nargs="+", type=Path, required=True, help="tables of compute_merit, one a method")
    arguments.add_argument("--approximate", nargs="*", default=[], help="methods whose loss is approximate transport")
    arguments.add_argument("--table", type=Path, required=True, help="table of all rows to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    given = arguments.parse_args()
    rows = read_rows(given.merit, MeritRow)
    summary = write_merit_summary(rows, given.approximate)
    write_rows(given.table, rows, MeritRow)
    write_text(given.summary, summary)
    settings = json.dumps({"approximate": given.approximate})
    write_origin("summarize_merit", settings, given.merit, [given.table, given.summary])


if __name__ == "__main__":
    execute(main)
