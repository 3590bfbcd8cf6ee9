"""Measure the distances between all pairs of the first jets of a file of images."""

from __future__ import annotations

from pathlib import Path

from oddjet.images.distances import compute_distances
from oddjet.images.settings import DistanceSettings
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = (
    "python workflow/scripts/compute_distances.py --images results/images/tables/qcd/test.h5 --metric wass1 "
    "--output d.h5"
)


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--images", type=Path, required=True, help="images that make_images wrote")
    arguments.add_argument("--metric", required=True, help="mae, mse, or wass and a power: wass1, wass0p5")
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: 1)")
    arguments.add_argument("--output", type=Path, required=True, help="distances to write (HDF5)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, DistanceSettings)
    provenance = attributes("compute_distances", settings.model_dump_json(), [given.images])
    compute_distances(given.images, given.output, given.metric, settings, given.threads, provenance)


if __name__ == "__main__":
    execute(main)
