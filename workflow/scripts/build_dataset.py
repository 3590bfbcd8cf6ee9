"""Split background jets by event into training, validation and test tables, and fit the scaler."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.dataset.build import build_dataset
from oddjet.dataset.settings import DatasetSettings
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/build_dataset.py --inputs results/tables/top_pairs/*.h5 \\
      --train train.h5 --validation validation.h5 --test test.h5 --scaler scaler.json"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument(
        "--inputs", nargs="+", type=Path, required=True, help="feature tables of background samples only"
    )
    for part in ("train", "validation", "test"):
        arguments.add_argument(f"--{part}", type=Path, required=True, help=f"the {part} table to write (HDF5)")
    arguments.add_argument("--scaler", type=Path, required=True, help="the scaler to write (JSON)")
    arguments.add_argument("--cross-sections", type=json.loads, default={}, metavar="JSON", help="sample to pb")
    arguments.add_argument("--of-signal", action="store_true", help="of semivisible jets: for the roles reversed")
    given = arguments.parse_args()
    settings = read_settings(given.settings, DatasetSettings)
    build_dataset(
        given.inputs,
        {"train": given.train, "validation": given.validation, "test": given.test},
        given.scaler,
        settings,
        {
            **attributes("build_dataset", settings.model_dump_json(), given.inputs),
            "cross_sections": json.dumps(given.cross_sections),
        },
        given.cross_sections,
        of_signal=given.of_signal,
    )


if __name__ == "__main__":
    execute(main)
