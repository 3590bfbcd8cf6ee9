"""Take each seed's AUC at one moment of its training, found from the history: the one that W keeps, or the end."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.epochs import auc_at, chosen_epochs, last_epochs
from oddjet.evaluation.history import EpochAucRow, read_history
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/select_epochs.py --history results/jets/models/nae_logcosh/*/history.csv \\
      --auc-by-epoch results/jets/models/nae_logcosh/*/auc_by_epoch.csv --moment lowest_w --output auc.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--history", nargs="+", type=Path, required=True, help="histories of one method")
    arguments.add_argument("--auc-by-epoch", nargs="+", type=Path, required=True, help="tables of monitor_training")
    arguments.add_argument("--moment", choices=("lowest_w", "last"), required=True, help="which epoch of each seed")
    arguments.add_argument("--output", type=Path, required=True, help="table to write (CSV), like compute_auc's")
    given = arguments.parse_args()
    rows = read_rows(given.auc_by_epoch, EpochAucRow)
    epochs = last_epochs(rows) if given.moment == "last" else chosen_epochs(read_history(given.history))
    write_rows(given.output, auc_at(rows, epochs), AucRow)
    settings = json.dumps({"moment": given.moment, "epochs": epochs})
    write_origin("select_epochs", settings, [*given.history, *given.auc_by_epoch], [given.output])


if __name__ == "__main__":
    execute(main)
