"""Score image jets with the VAEs of one training metric and depth; beta is the one with the lowest validation loss."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.images.vae_results import VaeAucRow
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.provenance.attributes import attributes
from oddjet.studies.vae_scan import score_scan

EXAMPLE = """python workflow/scripts/score_vae.py --models results/images/vae/mse/depth-2/*/model.pt --jets 400 \\
      --train results/images/tables/qcd/train.h5 --validation results/images/tables/qcd/validation.h5 \\
      --samples qcd=results/images/tables/qcd/test.h5 top=results/images/tables/top/test.h5 \\
      --scores scores.h5 --auc auc.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--models", type=Path, nargs="+", required=True, help="model.pt of every beta")
    arguments.add_argument("--train", type=Path, required=True, help="training images")
    arguments.add_argument("--validation", type=Path, required=True, help="validation images")
    arguments.add_argument(
        "--samples", nargs="+", required=True, metavar="NAME=FILE", help="test images, the background first"
    )
    arguments.add_argument("--jets", type=int, required=True, help="jets of each sample, at most")
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: 1)")
    arguments.add_argument("--scores", type=Path, required=True, help="scores of the chosen VAE to write (HDF5)")
    arguments.add_argument("--auc", type=Path, required=True, help="AUC of all to write (CSV)")
    given = arguments.parse_args()
    samples = {name: Path(path) for name, path in (text.split("=", 1) for text in given.samples)}
    settings, inputs = (
        json.dumps({"jets": given.jets}),
        [*given.models, given.train, given.validation, *samples.values()],
    )
    provenance = attributes("score_vae", settings, inputs)
    trained_on = given.train, given.validation
    rows = score_scan(given.models, trained_on, samples, given.jets, given.scores, provenance, given.threads)
    write_rows(given.auc, rows, VaeAucRow)
    write_origin("score_vae", settings, inputs, [given.auc])


if __name__ == "__main__":
    execute(main)
