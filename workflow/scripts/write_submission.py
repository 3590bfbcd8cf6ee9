"""Write AUC, background rejection and thresholds over the grid as a submission to HEPData, checked by its validator."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.report.hepdata import write_submission

EXAMPLE = """python workflow/scripts/write_submission.py --auc results/jets/auc/*.csv \\
      --merit results/jets/merit/*.csv --cards results/jets/bundle/*/card.json --output submission.tar.gz"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--auc", nargs="+", type=Path, required=True, help="AUC tables of all methods (CSV)")
    arguments.add_argument("--merit", nargs="+", type=Path, required=True, help="figures of merit (CSV)")
    arguments.add_argument("--cards", nargs="*", type=Path, default=[], help="cards of bundles, for thresholds")
    arguments.add_argument("--output", type=Path, required=True, help="archive to write (.tar.gz)")
    given = arguments.parse_args()
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in given.cards]
    names = write_submission(
        given.output,
        read_rows(given.auc, AucRow),
        read_rows(given.merit, MeritRow),
        {card["method"]: card["thresholds"] for card in cards},
    )
    write_origin("write_submission", "{}", [*given.auc, *given.merit, *given.cards], [given.output])
    print(f"{given.output}: {len(names)} tables")


if __name__ == "__main__":
    execute(main)
