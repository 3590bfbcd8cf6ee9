"""Score whole events by their exact and linearised transport distances to background events, and by observables."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from oddjet.events.distances import linear_agreement, prepare_distances
from oddjet.events.protocol import file_arguments, first_events, test_files, write_methods
from oddjet.events.scores import BACKGROUND
from oddjet.events.settings import ProtocolSettings
from oddjet.io.atomic import write_text
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/score_event_distances.py --references background_train.h5 \\
      --background background_test.h5 --signals a_4l=a_4l.h5 --output-dir scores --agreement linearised.json"""
# Events whose linearised distances are compared with the exact ones.
COMPARED = 500


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--references", type=Path, required=True, help="background events to be compared with")
    file_arguments(arguments)
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: %(default)s)")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of the score tables, METHOD.h5")
    arguments.add_argument("--agreement", type=Path, required=True, help="linearised against exact, to write (JSON)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, ProtocolSettings)
    files = test_files(given.background, given.signals)
    # What can be wrong with the events shows before the work.
    events = {name: first_events(path, settings.sets.total, ground=settings.ground) for name, path in files.items()}
    distances = prepare_distances(given.references, settings, given.threads)
    agreement = linear_agreement(distances, events[BACKGROUND][:COMPARED])
    logging.getLogger("oddjet").info("linearised against exact: %s", agreement)
    samples = progress(events.items(), total=len(files), description="samples scored by distance")
    scores = {name: distances.scores(sample) for name, sample in samples}
    made_from = "score_event_distances", settings.model_dump_json(), [given.references, *files.values()]
    write_methods(given.output_dir, scores, attributes(*made_from))
    write_text(given.agreement, json.dumps(agreement, indent=1) + "\n")
    write_origin(*made_from, [given.agreement])


if __name__ == "__main__":
    execute(main)
