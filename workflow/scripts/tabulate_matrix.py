"""Set trainings on different backgrounds side by side, against each background and signal, as CSV and Markdown."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.matrix import MatrixRow, Training, matrix_of, matrix_rows, write_matrix
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/tabulate_matrix.py --auc results/jets/auc/wnae.csv results/jets/auc/wnae_qcd.csv \\
      --trainings '[["WNAE", "all"], ["WNAE", "qcd"]]' --table matrix.csv --summary matrix.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--auc", nargs="+", type=Path, required=True, help="AUC tables, one a method")
    arguments.add_argument(
        "--trainings", required=True, metavar="JSON", help="[method, what it was trained on] of each table, in words"
    )
    arguments.add_argument("--table", type=Path, required=True, help="table to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="the same to read (Markdown)")
    given = arguments.parse_args()
    trainings = [Training(*words) for words in json.loads(given.trainings)]
    rows = matrix_rows({one: read_rows(path, AucRow) for one, path in zip(trainings, given.auc, strict=True)})
    write_rows(given.table, rows, MatrixRow)
    write_text(given.summary, write_matrix(matrix_of(rows)))
    settings = json.dumps({"trainings": given.trainings})
    write_origin("tabulate_matrix", settings, given.auc, [given.table, given.summary])


if __name__ == "__main__":
    execute(main)
