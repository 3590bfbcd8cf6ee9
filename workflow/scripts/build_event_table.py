"""Turn background events into the 57 inputs of the autoencoders, and write their scaling."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.events.layout import read_events
from oddjet.events.settings import ObjectSettings, TableSettings
from oddjet.events.table import event_scaler, write_event_table
from oddjet.io.atomic import write_text
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/build_event_table.py --inputs train_events.h5 validation_events.h5 \\
      --train train.h5 --validation validation.h5 --scaler scaler.json"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--objects", metavar="JSON", help="settings of the objects: their acceptances")
    arguments.add_argument(
        "--inputs", nargs=2, type=Path, required=True, help="training and validation events of the background"
    )
    for part in ("train", "validation"):
        arguments.add_argument(f"--{part}", type=Path, required=True, help=f"the {part} table to write (HDF5)")
    arguments.add_argument("--scaler", type=Path, required=True, help="the scaling to write (JSON)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, TableSettings)
    objects = read_settings(given.objects, ObjectSettings, "--objects")
    train, validation = (read_events(path) for path in given.inputs)
    record = attributes("build_event_table", settings.model_dump_json(), given.inputs)
    scaler = event_scaler(train, settings, objects)
    write_event_table(given.train, train, record)
    write_event_table(given.validation, validation, record)
    write_text(given.scaler, json.dumps(scaler, indent=2) + "\n")


if __name__ == "__main__":
    execute(main)
