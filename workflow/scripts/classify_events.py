"""Train and test supervised nearest neighbours on whole events: what the distances could tell at best."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.efficiency import event_merits
from oddjet.evaluation.signals import parse_signals
from oddjet.events.classification import classify
from oddjet.events.layout import read_events
from oddjet.events.merit_tables import BACKGROUND, SetMerit
from oddjet.events.protocol import refuse_empty
from oddjet.events.settings import ProtocolSettings
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress, read_settings, settings_argument

EXAMPLE = """python workflow/scripts/classify_events.py --background background_test.h5 \\
      --signals a_4l=a_4l.h5 --output classification.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--background", type=Path, required=True, help="test events of the background (HDF5)")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE", help="events of the signals")
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: %(default)s)")
    arguments.add_argument("--output", type=Path, required=True, help="figures of merit by fold, to write (CSV)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, ProtocolSettings)
    signals = parse_signals(given.signals)
    files = {BACKGROUND: given.background, **{signal.name: signal.files[0] for signal in signals}}
    events = {name: read_events(path) for name, path in files.items()}
    for name, path in files.items():
        refuse_empty(events[name], path, 0, settings.ground)
    rows = []
    names = [signal.name for signal in signals]
    for name in progress(names, total=len(names), description="signals classified"):
        own = settings.classification
        for fold in classify(events[BACKGROUND], events[name], own, settings.ground, settings.seed, given.threads):
            for merit, found in event_merits(fold.background, fold.signal).items():
                size = len(fold.background)
                rows.append(SetMerit(fold.variant, 0, name, fold.fold, merit, *found, size))
    write_rows(given.output, rows, SetMerit)
    write_origin("classify_events", settings.model_dump_json(), list(files.values()), [given.output])


if __name__ == "__main__":
    execute(main)
