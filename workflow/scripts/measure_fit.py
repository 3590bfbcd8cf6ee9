"""Measure, by background alone, how well the chosen models of a method fit it: numbers that compare between methods."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.dataset.of_samples import rows_of
from oddjet.dataset.scaler_file import read_scaler
from oddjet.detectors.file import load
from oddjet.detectors.registry import trained_on
from oddjet.evaluation.background_fit import measure_fit
from oddjet.evaluation.history import SnapshotRow
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.io.tables import read_table
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/measure_fit.py --model results/jets/models/wnae/seeds-1-2/model.pt \\
      --background results/jets/dataset/validation.h5 --scaler results/jets/dataset/scaler.json --output fit.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--model", type=Path, required=True, help="model.pt of any method")
    arguments.add_argument("--background", type=Path, required=True, help="validation part of the background")
    arguments.add_argument("--scaler", type=Path, required=True, help="scaler.json of the dataset: the common units")
    arguments.add_argument("--seed", type=int, default=1, help="of the permutations (default: 1)")
    arguments.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    given = arguments.parse_args()
    model, common = load(given.model), read_scaler(given.scaler)
    table = read_table(given.background, needed=[*model.card.scaler.names, *common.names, "weight"])
    background = rows_of(given.background, table, trained_on(model.card.settings))
    write_rows(given.output, measure_fit(model, background, common, given.seed), SnapshotRow)
    inputs = [given.model, given.background, given.scaler]
    write_origin("measure_fit", json.dumps({"seed": given.seed}), inputs, [given.output], model.card.modules)


if __name__ == "__main__":
    execute(main)
