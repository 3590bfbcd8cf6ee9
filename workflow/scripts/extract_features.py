"""Cluster the candidates of one ROOT file into jets and write the table of their features."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import get_args

from oddjet.jets.extract import extract_features
from oddjet.jets.features import describe_registry
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = "python workflow/scripts/extract_features.py --sample top --input top.root --output top.h5"


def add_arguments(arguments: ArgumentParser) -> Namespace:
    """Read the command line."""
    settings_argument(arguments)
    arguments.add_argument("--list", action="store_true", help="print the registry of features and stop")
    arguments.add_argument("--sample", help="name of the sample, stored in the table")
    arguments.add_argument("--input", help="ROOT file: a path, root:// or https:// address")
    arguments.add_argument("--output", type=Path, help="HDF5 table to write")
    arguments.add_argument("--require-match", choices=get_args(Match), default="none")
    arguments.add_argument("--weight", type=float, default=1.0, help="factor on the generator weights (default: 1)")
    given = arguments.parse_args()
    if not given.list and not (given.sample and given.input and given.output):
        arguments.error("--sample, --input and --output are required")
    return given


def main() -> None:
    """Read the arguments and extract."""
    given = add_arguments(parser(__doc__ or "", EXAMPLE))
    settings = read_settings(given.settings, FeatureSettings)
    if given.list:
        sys.stdout.write(describe_registry())
        return
    local = [Path(given.input)] if Path(given.input).is_file() else []
    provenance = attributes("extract_features", settings.model_dump_json(), local)
    extract_features(
        given.input,
        given.output,
        settings,
        require_match=given.require_match,
        weight=given.weight,
        attributes={
            "sample": given.sample,
            "require_match": given.require_match,
            "sample_weight": str(given.weight),
            **provenance,
        },
    )


if __name__ == "__main__":
    execute(main)
