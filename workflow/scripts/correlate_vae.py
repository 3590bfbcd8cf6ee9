"""Correlate the distances of pairs of jets inside VAEs with the distances between their images."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.images.vae_results import LatentRow
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.provenance.attributes import attributes
from oddjet.studies.vae_latent import study, write_pairs

EXAMPLE = """python workflow/scripts/correlate_vae.py --models results/images/vae/mse/depth-3/*/*/model.pt \\
      --images results/images/tables/qcd/test.h5 --distances results/images/distances/qcd/test/wass1.h5 \\
      --jets 100 --table latent.csv --pairs pairs.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--models", type=Path, nargs="+", required=True, help="model.pt of each VAE")
    arguments.add_argument("--images", type=Path, required=True, help="test images of the background")
    arguments.add_argument(
        "--distances", type=Path, nargs="+", required=True, help="their distances, one file a metric"
    )
    arguments.add_argument("--jets", type=int, required=True, help="largest number of jets")
    arguments.add_argument("--table", type=Path, required=True, help="correlations to write (CSV)")
    arguments.add_argument("--pairs", type=Path, required=True, help="the distances behind the figures to write (HDF5)")
    given = arguments.parse_args()
    found = study(given.models, given.images, given.distances, given.jets)
    settings, inputs = json.dumps({"jets": given.jets}), [*given.models, given.images, *given.distances]
    write_pairs(given.pairs, found, attributes("correlate_vae", settings, inputs))
    write_rows(given.table, found.rows, LatentRow)
    write_origin("correlate_vae", settings, inputs, [given.table])


if __name__ == "__main__":
    execute(main)
