"""Print how far the mean AUC of each seed falls in the last quarter of its training, and whether W warns of it."""

from __future__ import annotations

import sys
from pathlib import Path

from oddjet.errors import EvaluationError
from oddjet.evaluation.epochs import falls_to_text, largest_falls
from oddjet.evaluation.history import EpochAucRow, read_history
from oddjet.io.csv import read_rows
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/compare_stability.py --history results/jets/models/wnae/*/history.csv \\
      --auc-by-epoch results/jets/models/wnae/*/auc_by_epoch.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--history", nargs="+", type=Path, required=True, help="histories of one method, all groups")
    arguments.add_argument("--auc-by-epoch", nargs="+", type=Path, required=True, help="its tables of monitor_training")
    arguments.add_argument("--bar", type=float, default=0.02, help="a fall that W must warn of (default: 0.02)")
    given = arguments.parse_args()
    rows = read_rows(given.auc_by_epoch, EpochAucRow)
    if not rows:
        raise EvaluationError(f"{given.auc_by_epoch[0]}: no AUC; give tables that monitor_training wrote")
    falls = largest_falls(rows, read_history(given.history))
    sys.stdout.write(falls_to_text(rows[0].method, falls, given.bar))


if __name__ == "__main__":
    execute(main)
