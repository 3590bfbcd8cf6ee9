"""Cluster the candidates of ROOT files and write the images of the leading jets, split by event."""

from __future__ import annotations

from pathlib import Path

from oddjet.images.make import make_images
from oddjet.images.settings import ImageJetSettings
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/make_images.py --inputs results/images/samples/qcd/*.root \\
      --train train.h5 --validation validation.h5 --test test.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--inputs", nargs="+", required=True, help="ROOT files of one sample")
    arguments.add_argument("--require-match", choices=("none", "top", "w"), default="none")
    for part in ("train", "validation", "test"):
        arguments.add_argument(f"--{part}", type=Path, required=True, help="images to write (HDF5)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, ImageJetSettings)
    local = [Path(path) for path in given.inputs if Path(path).is_file()]
    make_images(
        given.inputs,
        {"train": given.train, "validation": given.validation, "test": given.test},
        settings,
        require_match=given.require_match,
        attributes={
            "require_match": given.require_match,
            **attributes("make_images", settings.model_dump_json(), local),
        },
    )


if __name__ == "__main__":
    execute(main)
