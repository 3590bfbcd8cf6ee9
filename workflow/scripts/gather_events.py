"""Gather the events of a signal from the files of its parts."""

from __future__ import annotations

from pathlib import Path

from oddjet.events.layout import write_events
from oddjet.events.mix import first_events
from oddjet.program import execute, parser
from oddjet.provenance.attributes import attributes

EXAMPLE = "python workflow/scripts/gather_events.py --sample a_4l --events 100 --inputs a.h5 b.h5 --output a_4l.h5"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--sample", required=True, help="name of the signal, for messages")
    arguments.add_argument("--events", type=int, required=True, help="number of events to take")
    arguments.add_argument("--inputs", nargs="+", type=Path, required=True, help="files of the layout of CMS ADC 2021")
    arguments.add_argument("--output", type=Path, required=True, help="file to write (HDF5)")
    given = arguments.parse_args()
    events = first_events(given.sample, given.inputs, given.events)
    write_events(given.output, events, attributes("gather_events", f'{{"events": {given.events}}}', given.inputs))


if __name__ == "__main__":
    execute(main)
