"""Put the AUC tables of all methods side by side: one leaderboard (CSV) and one summary (Markdown)."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.scores import read_method
from oddjet.evaluation.summary import write_summary
from oddjet.evaluation.tables import AucRow, read_rows, write_rows
from oddjet.io.atomic import write_text
from oddjet.io.record import write_record
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/summarize.py --auc results/auc/*.csv --scores results/scores/*/*.h5 \\
      --leaderboard leaderboard.csv --summary summary.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--auc", nargs="+", type=Path, required=True, help="AUC tables, one a method")
    arguments.add_argument(
        "--scores", nargs="*", type=Path, default=[], help="score tables: their chosen epochs enter the summary"
    )
    arguments.add_argument("--approximate", nargs="*", default=[], help="methods whose loss is approximate transport")
    arguments.add_argument("--leaderboard", type=Path, required=True, help="table of all rows to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    given = arguments.parse_args()
    rows = [row for path in given.auc for row in read_rows(path, AucRow)]
    epochs: dict[str, dict[int, int]] = {}
    for path in given.scores:
        method = read_method(path)
        epochs.setdefault(method.name, {}).update(zip(method.seeds, method.epochs, strict=True))
    summary = write_summary(rows, epochs, given.approximate)
    write_rows(given.leaderboard, rows, AucRow)
    write_text(given.summary, summary)
    settings = json.dumps({"approximate": given.approximate})
    write_record("summarize", settings, [*given.auc, *given.scores], [given.leaderboard, given.summary])


if __name__ == "__main__":
    execute(main)
