"""Write the paper's tables 1, 2 and 3 with its numbers beside ours, and one of further scores: CSV and Markdown."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.events.merit_tables import SetMerit, summarise
from oddjet.events.pages import EXPLANATION, ComparedNumber, compared_numbers, table_markdown, tables
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/tabulate_events.py --merit merit.csv --classification classification.csv \\
      --output-dir tables"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit by test set (CSV)")
    arguments.add_argument("--classification", type=Path, required=True, help="those of supervised neighbours (CSV)")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of tables.md, table1.csv and so on")
    titles_argument(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    scored, supervised = read_rows(given.merit, SetMerit), read_rows(given.classification, SetMerit)
    summaries = summarise([*scored, *supervised])
    signals = list(dict.fromkeys(row.signal for row in scored))
    methods, variants = (list(dict.fromkeys(row.method for row in rows)) for rows in (scored, supervised))
    page, outputs = (
        ["# Whole events: the tables of arXiv 2401.15542", "", EXPLANATION],
        [given.output_dir / "tables.md"],
    )
    for name, table in tables(methods, variants).items():
        outputs.append(given.output_dir / f"{name}.csv")
        write_rows(outputs[-1], compared_numbers(table, summaries, signals), ComparedNumber, digits=6)
        page.append(table_markdown(table, summaries, signals, titles))
    write_text(outputs[0], "\n".join(page))
    write_origin("tabulate_events", json.dumps({"titles": titles.given}), [given.merit, given.classification], outputs)


if __name__ == "__main__":
    execute(main)
