"""Cluster the candidates of a ROOT file, or of a batch of them, into jets and write the table of their features."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import get_args

from oddjet.batches import execute_batch, is_made
from oddjet.io.tables import read_attributes
from oddjet.jets.correction_settings import CorrectionSettings
from oddjet.jets.extract import extract_features
from oddjet.jets.features import describe_registry
from oddjet.jets.settings import FeatureSettings, Match, with_corrections
from oddjet.program import parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes
from oddjet.selection.settings import SampleSelection

EXAMPLE = "python workflow/scripts/extract_features.py --sample top --input top.root --output top.h5"


def add_arguments(arguments: ArgumentParser) -> Namespace:
    settings_argument(arguments)
    arguments.add_argument("--list", action="store_true", help="print the registry of features and stop")
    arguments.add_argument("--sample", help="its name, stored in the table")
    arguments.add_argument("--input", help="ROOT file: a path, root:// or https:// address")
    arguments.add_argument("--output", type=Path, help="HDF5 table to write")
    arguments.add_argument("--require-match", choices=get_args(Match), default="none")
    arguments.add_argument("--selection", metavar="JSON", help="cuts of the sample's own (default: none)")
    arguments.add_argument("--corrections", metavar="JSON", help="of the sample's own (default: those of the settings)")
    arguments.add_argument("--weight", type=float, default=1.0, help="factor on the generator weights (default: 1)")
    arguments.add_argument("--variation", help="of the corrections, as jec_up (default: nominal)")
    given = arguments.parse_args()
    if not given.list and not (given.sample and given.input and given.output):
        arguments.error("--sample, --input and --output are required")
    return given


def main() -> None:
    given = add_arguments(parser(__doc__ or "", EXAMPLE))
    mine = read_settings(given.corrections, CorrectionSettings, "--corrections") if given.corrections else None
    settings = with_corrections(read_settings(given.settings, FeatureSettings), mine)
    own = read_settings(given.selection, SampleSelection, "--selection")
    if given.list:
        sys.stdout.write(describe_registry())
        return
    names = (given.input, own.golden_json, *settings.corrections.files())
    read = [Path(name) for name in names if name and Path(name).is_file()]
    if is_made(given.output, told := attributes("extract_features", settings.model_dump_json(), read), read_attributes):
        return
    how = {"require_match": given.require_match, "weight": given.weight, "variation": given.variation}
    told |= {"sample": given.sample, "require_match": given.require_match, "sample_weight": str(given.weight)}
    told |= {"selection": own.model_dump_json()}
    extract_features(given.input, given.output, settings, own=own, attributes=told, **how)


if __name__ == "__main__":
    execute_batch(main)
