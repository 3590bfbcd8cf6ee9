"""Simulate one part of a sample of whole events: Pythia, detector, objects, selection; the layout of CMS ADC 2021."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from oddjet.events.layout import write_events
from oddjet.events.objects import select_events
from oddjet.events.settings import ObjectSettings
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes
from oddjet.simulation.event_generate import simulate_events
from oddjet.simulation.event_processes import EVENT_PROCESSES
from oddjet.simulation.settings import SimulationSettings

EXAMPLE = """python workflow/scripts/simulate_events.py --sample w_lnu --process w_lnu --part 0 --events 100 --seed 1 \\
      --output w_lnu.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--simulation", metavar="JSON", help="settings of beam, underlying event and detector")
    arguments.add_argument("--sample", required=True, help="name of the sample; enters the seed")
    arguments.add_argument("--process", required=True, choices=EVENT_PROCESSES, help="what Pythia makes")
    arguments.add_argument("--part", required=True, type=int, help="number of the part, from 0; enters the seed")
    arguments.add_argument("--events", required=True, type=int, help="number of selected events in the file")
    arguments.add_argument("--seed", required=True, type=int, help="seed of the config; the job's follows from it")
    arguments.add_argument("--output", required=True, type=Path, help="file to write (HDF5)")
    given = arguments.parse_args()
    objects = read_settings(given.settings, ObjectSettings)
    events, facts = simulate_events(
        given.process,
        read_settings(given.simulation, SimulationSettings, "--simulation"),
        partial(select_events, settings=objects),
        sample=given.sample,
        part=given.part,
        events=given.events,
        seed=given.seed,
    )
    record = {**attributes("simulate_events", objects.model_dump_json(), []), "process": given.process}
    write_events(given.output, events, {**record, **{name: str(value) for name, value in facts.items()}})


if __name__ == "__main__":
    execute(main)
