"""Compare the AUC at the epochs that training chose, without signal, with the best epoch of each signal and seed."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.errors import EvaluationError
from oddjet.evaluation.epochs import ChoiceRow, choice_to_markdown, chosen_epochs, compare_choice
from oddjet.evaluation.history import EpochAucRow, read_history
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/compare_epochs.py --history results/jets/models/wnae/*/history.csv \\
      --auc-by-epoch results/jets/models/wnae/*/auc_by_epoch.csv --table epochs.csv --summary epochs.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--history", nargs="+", type=Path, required=True, help="histories of all methods and groups")
    arguments.add_argument("--auc-by-epoch", nargs="+", type=Path, required=True, help="their AUC, in the same order")
    arguments.add_argument("--table", type=Path, required=True, help="table to write (CSV), a row a seed and signal")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    titles_argument(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    if len(given.history) != len(given.auc_by_epoch):
        raise EvaluationError(f"{len(given.history)} histories and {len(given.auc_by_epoch)} AUC tables; give pairs")
    rows: list[ChoiceRow] = []
    for history, auc in zip(given.history, given.auc_by_epoch, strict=True):
        rows += compare_choice(read_rows(auc, EpochAucRow), chosen_epochs(read_history([history])))
    write_rows(given.table, rows, ChoiceRow)
    write_text(given.summary, choice_to_markdown(rows, titles))
    write_origin(
        "compare_epochs",
        json.dumps({"titles": titles.given}),
        [*given.history, *given.auc_by_epoch],
        [given.table, given.summary],
    )


if __name__ == "__main__":
    execute(main)
