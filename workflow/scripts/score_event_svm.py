"""Score whole events by one-class support vector machines on the transport kernel."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from oddjet.events.protocol import file_arguments, first_events, objects_argument, test_files, write_methods
from oddjet.events.settings import ObjectSettings, ProtocolSettings
from oddjet.events.support_vectors import prepare_machine
from oddjet.io.atomic import write_text
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/score_event_svm.py --training background_train.h5 \\
      --validation background_validation.h5 --background background_test.h5 --signals a_4l=a_4l.h5 \\
      --output-dir scores --choice svm.json"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--training", type=Path, required=True, help="background events to train with")
    arguments.add_argument("--validation", type=Path, required=True, help="other background events, to choose gamma")
    file_arguments(arguments)
    objects_argument(arguments)
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: %(default)s)")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of the score tables, METHOD.h5")
    arguments.add_argument("--choice", type=Path, required=True, help="what was chosen, to write (JSON)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, ProtocolSettings)
    objects = read_settings(given.objects, ObjectSettings, "--objects")
    machine = prepare_machine(given.training, given.validation, settings, objects, given.threads)
    logging.getLogger("oddjet").info("chosen: %s", machine.record())
    files = test_files(given.background, given.signals)
    samples = progress(files.items(), total=len(files), description="samples scored by support vectors")
    scores = {name: machine.scores(first_events(path, settings.sets.total)) for name, path in samples}
    made_from = "score_event_svm", settings.model_dump_json(), [given.training, given.validation, *files.values()]
    write_methods(given.output_dir, scores, attributes(*made_from))
    write_text(given.choice, json.dumps(machine.record(), indent=1) + "\n")
    write_origin(*made_from, [given.choice])


if __name__ == "__main__":
    execute(main)
