"""Measure what each score costs an event on one core, in time and memory: AUC against microseconds."""

from __future__ import annotations

from pathlib import Path

from oddjet.detectors.file import load
from oddjet.events.distances import prepare_distances
from oddjet.events.latency import measure_distances, measure_machines, measure_network
from oddjet.events.merit_tables import Latency, SetMerit, summarise
from oddjet.events.neighbours import prepare_neighbours
from oddjet.events.pages import latency_markdown
from oddjet.events.protocol import first_events, objects_argument
from oddjet.events.settings import ObjectSettings, ProtocolSettings
from oddjet.events.support_vectors import prepare_machine
from oddjet.events.table import flatten
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/measure_event_latency.py --training background_train.h5 \\
      --validation background_validation.h5 --test background_test.h5 --models model.pt --merit merit.csv \\
      --table latency.csv --page latency.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    for name, what in (("training", "background to train with"), ("validation", "to choose with"), ("test", "to time")):
        arguments.add_argument(f"--{name}", type=Path, required=True, help=f"events: {what} (HDF5)")
    arguments.add_argument("--models", type=Path, nargs="*", default=[], help="model.pt of networks")
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit by test set (CSV)")
    arguments.add_argument("--table", type=Path, required=True, help="costs to write (CSV)")
    arguments.add_argument("--page", type=Path, required=True, help="AUC against costs, to write (Markdown)")
    objects_argument(arguments)
    titles_argument(arguments)
    given = arguments.parse_args()
    settings = read_settings(given.settings, ProtocolSettings)
    objects = read_settings(given.objects, ObjectSettings, "--objects")
    events = first_events(given.test, settings.latency.events, ground=settings.ground)
    rows = list(measure_distances(prepare_distances(given.training, settings), events, settings.latency))
    machine = prepare_machine(given.training, given.validation, settings, objects)
    rows += measure_machines(prepare_neighbours(given.training, settings, objects), machine, events, settings.latency)
    for model in map(load, given.models):
        inputs = model.card.scaler.transform(flatten(events))
        rows.append(measure_network(model, inputs, settings.latency))
    merits = read_rows(given.merit, SetMerit)
    write_rows(given.table, rows, Latency)
    signals = list(dict.fromkeys(row.signal for row in merits))
    write_text(given.page, latency_markdown(rows, summarise(merits), signals, read_titles(given)))
    inputs_read = [given.training, given.validation, given.test, *given.models, given.merit]
    write_origin("measure_event_latency", settings.model_dump_json(), inputs_read, [given.table, given.page])


if __name__ == "__main__":
    execute(main)
