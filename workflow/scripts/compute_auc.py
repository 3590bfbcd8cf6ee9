"""Compute the AUC of every seed and signal of one method from its score tables."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.merit import AucRow
from oddjet.evaluation.scores import auc_rows
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress

EXAMPLE = "python workflow/scripts/compute_auc.py --scores results/jets/scores/ae/*.h5 --output auc.csv"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument(
        "--scores", nargs="+", type=Path, required=True, help="score tables of one method, a group each"
    )
    arguments.add_argument("--output", type=Path, required=True, help="table to write (CSV), one row a seed and signal")
    given = arguments.parse_args()
    tables = progress(given.scores, total=len(given.scores), description="AUC of score tables")
    write_rows(given.output, [row for path in tables for row in auc_rows(path)], AucRow)
    write_origin("compute_auc", "{}", given.scores, [given.output])


if __name__ == "__main__":
    execute(main)
