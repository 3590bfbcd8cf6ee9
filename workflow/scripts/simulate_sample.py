"""Simulate one part of a sample, or a batch of them: Pythia events, detector response, CMS-style ROOT file."""

from __future__ import annotations

from pathlib import Path

from oddjet.batches import execute_batch, is_made
from oddjet.io.trees import read_metadata
from oddjet.program import parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes
from oddjet.simulation.generate import simulate_sample
from oddjet.simulation.settings import Process, SimulationSettings

EXAMPLE = (
    "python workflow/scripts/simulate_sample.py --sample svj_mphi-2000_rinv-0p3 "
    """--process '{"name": "svj", "m_phi": 2000, "r_inv": 0.3}' --part 0 --events 100 --seed 1 --output svj.root"""
)


def main() -> None:
    """Read the arguments and simulate."""
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--sample", required=True, help="name of the sample; enters the seed")
    arguments.add_argument(
        "--process", required=True, metavar="JSON", help="name (top_pairs, qcd, hadronic_w, svj) and its parameters"
    )
    arguments.add_argument("--part", required=True, type=int, help="number of the part, from 0; enters the seed")
    arguments.add_argument("--events", required=True, type=int, help="number of events in the file")
    arguments.add_argument("--seed", required=True, type=int, help="seed of the config; the job's follows from it")
    arguments.add_argument("--output", required=True, type=Path, help="ROOT file to write")
    given = arguments.parse_args()
    settings = read_settings(given.settings, SimulationSettings)
    process = read_settings(given.process, Process, "--process")
    record = attributes("simulate_sample", settings.model_dump_json(), [])
    if is_made(given.output, record, read_metadata):
        return
    simulate_sample(
        given.output,
        process,
        settings,
        sample=given.sample,
        part=given.part,
        events=given.events,
        seed=given.seed,
        attributes=record,
    )


if __name__ == "__main__":
    execute_batch(main)
