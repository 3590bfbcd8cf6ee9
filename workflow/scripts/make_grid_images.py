"""Write the images of the jets that the feature table of the same ROOT file has."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from oddjet.images.grid import make_grid_images
from oddjet.images.settings import ImageJetSettings
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes
from oddjet.selection.settings import SampleSelection

EXAMPLE = "python workflow/scripts/make_grid_images.py --input results/samples/top/0000.root --output images.h5"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--features", metavar="JSON", help="settings of the feature stage (default: built-in)")
    arguments.add_argument("--require-match", choices=get_args(Match), default="none")
    arguments.add_argument("--selection", metavar="JSON", help="cuts of the sample's own (default: none)")
    arguments.add_argument("--input", required=True, help="ROOT file: a path, root:// or https:// address")
    arguments.add_argument("--output", type=Path, required=True, help="images to write (HDF5)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, ImageJetSettings)
    local = [Path(given.input)] if Path(given.input).is_file() else []
    make_grid_images(
        given.input,
        given.output,
        read_settings(given.features, FeatureSettings, "--features"),
        settings,
        own=read_settings(given.selection, SampleSelection, "--selection"),
        require_match=given.require_match,
        attributes=attributes("make_grid_images", settings.model_dump_json(), local),
    )


if __name__ == "__main__":
    execute(main)
