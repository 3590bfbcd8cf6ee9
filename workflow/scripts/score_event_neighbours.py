"""Score whole events by the votes of their nearest neighbours among background events and augmented ones."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from oddjet.events.neighbours import prepare_neighbours
from oddjet.events.protocol import file_arguments, first_events, objects_argument, test_files, write_methods
from oddjet.events.settings import NEIGHBOUR_METHODS, ObjectSettings, ProtocolSettings
from oddjet.io.atomic import write_text
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/score_event_neighbours.py --training background_train.h5 \\
      --background background_test.h5 --signals a_4l=a_4l.h5 --output-dir scores --choice neighbours.json"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--training", type=Path, required=True, help="background events that vote")
    file_arguments(arguments)
    objects_argument(arguments)
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: %(default)s)")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of the score tables, METHOD.h5")
    arguments.add_argument("--choice", type=Path, required=True, help="what was chosen, to write (JSON)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, ProtocolSettings)
    objects = read_settings(given.objects, ObjectSettings, "--objects")
    neighbours = prepare_neighbours(given.training, settings, objects, given.threads)
    logging.getLogger("oddjet").info("k = %d", neighbours.choice.k)
    files = test_files(given.background, given.signals)
    total = settings.sets.total
    scores = {
        name: {NEIGHBOUR_METHODS[0]: neighbours.scores(first_events(path, total))} for name, path in files.items()
    }
    made_from = "score_event_neighbours", settings.model_dump_json(), [given.training, *files.values()]
    write_methods(given.output_dir, scores, attributes(*made_from))
    write_text(given.choice, json.dumps(neighbours.record(), indent=1) + "\n")
    write_origin(*made_from, [given.choice])


if __name__ == "__main__":
    execute(main)
