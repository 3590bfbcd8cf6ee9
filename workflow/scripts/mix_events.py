"""Mix the samples of the events' background into disjoint training, validation and test sets."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.events.mix import mix_background
from oddjet.events.settings import PARTS, EventSizes
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/mix_events.py --inputs '{"w_lnu": ["a.h5", "b.h5"], "qcd": ["c.h5"]}' \\
      --fractions '{"w_lnu": 0.6, "qcd": 0.4}' --train train.h5 --validation validation.h5 --test test.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--inputs", required=True, metavar="JSON", help="name to the list of the sample's files")
    arguments.add_argument("--fractions", required=True, metavar="JSON", help="name to share; they add up to 1")
    arguments.add_argument("--seed", type=int, default=1, help="of the shuffling (default: 1)")
    for part in PARTS:
        arguments.add_argument(f"--{part}", type=Path, required=True, help=f"the {part} events to write (HDF5)")
    given = arguments.parse_args()
    sizes = read_settings(given.settings, EventSizes)
    files = {name: [Path(file) for file in paths] for name, paths in json.loads(given.inputs).items()}
    mix_background(
        files,
        json.loads(given.fractions),
        sizes,
        {part: getattr(given, part) for part in PARTS},
        given.seed,
        attributes("mix_events", sizes.model_dump_json(), [path for paths in files.values() for path in paths]),
    )


if __name__ == "__main__":
    execute(main)
