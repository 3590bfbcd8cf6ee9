"""Gather the images of a part of the dataset, background jets, for a training on images."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.images.gather import gather_images
from oddjet.images.store import ImageLibrary
from oddjet.program import execute, parser
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/gather_grid_images.py --images results/jet_images/top/*.h5 \\
      --tables results/jets/dataset/train.h5 --outputs train.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--images", type=Path, nargs="+", required=True, help="files of make_images")
    arguments.add_argument("--tables", type=Path, nargs="+", required=True, help="parts of the dataset")
    arguments.add_argument("--seed", type=int, default=1, help="of the order of the jets (default: 1)")
    arguments.add_argument("--outputs", type=Path, nargs="+", required=True, help="images to write, one file a table")
    given = arguments.parse_args()
    if len(given.tables) != len(given.outputs):
        arguments.error(f"{len(given.tables)} tables and {len(given.outputs)} outputs; give one output a table")
    library, settings = ImageLibrary(given.images), json.dumps({"seed": given.seed})
    for table, output in zip(given.tables, given.outputs, strict=True):
        provenance = attributes("gather_grid_images", settings, [*given.images, table])
        gather_images(library, table, output, given.seed, provenance)


if __name__ == "__main__":
    execute(main)
