"""Measure energy flow polynomials: our kernel against EnergyFlow, by degree, on the same jets of Pythia's top pairs.

Times are processor times of one core, the best of three; the values are compared before anything is timed.

Example: python benchmarks/polynomials.py --jets 50
"""

from __future__ import annotations

import argparse
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from oddjet.io.candidates import Particles
from oddjet.io.root import read_candidates
from oddjet.jets.clustering import cluster, rapidity
from oddjet.jets.multigraphs import graphs_up_to
from oddjet.jets.polynomials import polynomials
from oddjet.simulation.generate import simulate_sample
from oddjet.simulation.settings import Process, SimulationSettings
from timing import least

DEGREES = (1, 2, 3, 4, 5)
REPEATS = 3


def jets(number: int) -> Particles:
    """Constituents of the first jets above 500 GeV."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "top.root")
        process = Process.model_validate({"name": "top_pairs"})
        simulate_sample(path, process, SimulationSettings(), sample="top", part=0, events=number, seed=1, attributes={})
        (record,) = read_candidates(path)
    found = cluster(record.candidates, 0.8, 500.0)
    return found.where(np.arange(len(found)) < number).constituents


def seconds(constituents: Particles, y: np.ndarray, degree: int, backend: str) -> float:
    return least(lambda: polynomials(constituents, y, degree, 1.0, backend), REPEATS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jets", type=int, default=50, help="(default: 50)")
    given = parser.parse_args()
    if find_spec("energyflow") is None:
        print("EnergyFlow is not installed: there is nothing to compare with")
        return
    constituents = jets(given.jets)
    y = rapidity(constituents)
    print(f"{len(constituents)} jets of {np.mean(constituents.counts()):.0f} constituents, milliseconds a jet")
    for degree in DEGREES:
        values = [polynomials(constituents, y, degree, 1.0, backend) for backend in ("own", "energyflow")]
        assert np.allclose(*values, rtol=1e-10, atol=0)
        ours, theirs = (
            1e3 * seconds(constituents, y, degree, name) / len(constituents) for name in ("own", "energyflow")
        )
        print(f"  degree {degree}, {len(graphs_up_to(degree))} graphs: ours {ours:.2f}, EnergyFlow {theirs:.2f}")
        print(f"ratio polynomials_degree_{degree} {theirs / ours:.1f}")


if __name__ == "__main__":
    main()
