"""Fit a baseline on background jets; writes model.pt, snapshots.pt and history.csv as train_model does."""

from __future__ import annotations

from pathlib import Path

from oddjet.dataset.scaler_file import Inputs
from oddjet.detectors.baseline import fit_method
from oddjet.detectors.registry import read_method
from oddjet.program import execute, parser, settings_argument

EXAMPLE = """python workflow/scripts/fit_baseline.py --method knn --settings '{"kind": "nearest_neighbours"}' \\
      --seeds 1 2 --train results/jets/dataset/train.h5 --validation results/jets/dataset/validation.h5 \\
      --scaler results/jets/dataset/scaler.json --output-dir results/jets/models/knn/1-2"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--method", required=True, help="name of the method, for the tables")
    arguments.add_argument("--seeds", type=int, nargs="+", required=True, help="one fit each")
    for part in ("train", "validation"):
        arguments.add_argument(f"--{part}", type=Path, required=True, help=f"the {part} table of background jets")
    arguments.add_argument("--scaler", type=Path, required=True, help="scaler.json of the dataset")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of the three files")
    given = arguments.parse_args()
    settings = read_method(given.settings)
    inputs = Inputs(given.train, given.validation, given.scaler)
    fit_method(given.method, settings, given.seeds, inputs, given.output_dir)


if __name__ == "__main__":
    execute(main)
