"""Cluster the candidates of ROOT files and write images of jets.

With --output these are the jets of the feature table of a file; otherwise the leading jets, split by event.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from oddjet.images.grid import make_grid_images
from oddjet.images.make import make_images
from oddjet.images.settings import ImageJetSettings
from oddjet.jets.correction_settings import CorrectionSettings
from oddjet.jets.settings import FeatureSettings, Match, with_corrections
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes
from oddjet.selection.settings import SampleSelection

PARTS = ("train", "validation", "test")
EXAMPLE = """python workflow/scripts/make_images.py --inputs results/images/samples/qcd/*.root \\
      --train train.h5 --validation validation.h5 --test test.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--inputs", nargs="+", required=True, help="ROOT files of one sample, or their addresses")
    arguments.add_argument("--features", metavar="JSON", help="settings of the feature stage (default: built-in)")
    arguments.add_argument("--corrections", metavar="JSON", help="of the sample (default: those of the features)")
    arguments.add_argument("--selection", metavar="JSON", help="cuts of the sample (default: none)")
    arguments.add_argument("--require-match", choices=get_args(Match), default="none")
    arguments.add_argument("--weight", type=float, default=1.0, help="factor on the generator weights (default: 1)")
    arguments.add_argument("--output", type=Path, help="images of the jets of one file's feature table (HDF5)")
    for part in PARTS:
        arguments.add_argument(f"--{part}", type=Path, help="images of leading jets to write (HDF5)")
    given = arguments.parse_args()
    outputs = {part: getattr(given, part) for part in PARTS}
    if (given.output is None) == (None in outputs.values()) or (given.output and len(given.inputs) > 1):
        arguments.error("give --output and one file, or --train, --validation and --test")
    settings = read_settings(given.settings, ImageJetSettings)
    mine = read_settings(given.corrections, CorrectionSettings, "--corrections") if given.corrections else None
    features = with_corrections(read_settings(given.features, FeatureSettings, "--features"), mine)
    read = [Path(path) for path in (*given.inputs, *features.corrections.files()) if Path(path).is_file()]
    own = read_settings(given.selection, SampleSelection, "--selection")
    how = {"own": own, "require_match": given.require_match, "weight": given.weight}
    told = attributes("make_images", settings.model_dump_json(), read)
    told |= {name: str(how[name]) for name in ("require_match", "weight")}
    if given.output is None:
        make_images(given.inputs, outputs, settings, features, attributes=told, **how)
    else:
        make_grid_images(given.inputs[0], given.output, features, settings, attributes=told, **how)


if __name__ == "__main__":
    execute(main)
