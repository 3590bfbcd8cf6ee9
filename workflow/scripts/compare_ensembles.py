"""Compare the mean energies of two sets of models on the same jets: AUC over the grid, difference, paired bootstrap."""

from __future__ import annotations

import sys
from pathlib import Path

from oddjet.evaluation.experiments import paired_difference
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/compare_ensembles.py --scores results/scores/wnae/*.h5 \\
      --against results/scores/isolation_forest/*.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="score tables, averaged together")
    arguments.add_argument("--against", nargs="+", type=Path, required=True, help="the other side's")
    arguments.add_argument("--replicas", type=int, default=200, help="of the bootstrap (default: 200)")
    arguments.add_argument("--seed", type=int, default=1, help="of the bootstrap (default: 1)")
    given = arguments.parse_args()
    found = paired_difference(given.scores, given.against, given.replicas, given.seed)
    difference = found.first - found.second
    sys.stdout.write(f"{found.first:.4f} against {found.second:.4f}: {difference:+.4f} +- {found.error:.4f}\n")


if __name__ == "__main__":
    execute(main)
