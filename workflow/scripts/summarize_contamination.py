"""Put the contamination scan into one table (CSV) and one summary (Markdown)."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.contamination import ContaminationRow, scan_rows, write_scan
from oddjet.io.atomic import write_text
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/summarize_contamination.py --table contamination.csv --summary contamination.md \\
      --auc 0.1=results/contaminated-0p1/auc/pca.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument(
        "--auc",
        nargs="+",
        required=True,
        metavar="SHARE=FILE",
        help="AUC tables (CSV), and the share of signal of each",
    )
    arguments.add_argument("--table", type=Path, required=True, help="table of all AUCs to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    titles_argument(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    rows = scan_rows(given.auc)
    write_rows(given.table, rows, ContaminationRow)
    write_text(given.summary, write_scan(rows, titles))
    inputs = [Path(text.partition("=")[2]) for text in given.auc]
    write_origin("summarize_contamination", json.dumps({"titles": titles.given}), inputs, [given.table, given.summary])


if __name__ == "__main__":
    execute(main)
