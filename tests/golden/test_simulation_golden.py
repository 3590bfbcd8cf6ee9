"""What must not change by accident: seeds and Pythia settings decide every simulated event."""

from __future__ import annotations

from pathlib import Path

import pytest

from oddjet.simulation.parts import derive_seed
from oddjet.simulation.processes import pythia_settings
from oddjet.simulation.settings import Process, SimulationSettings

FOLDER = Path(__file__).parent
PROCESSES = {
    "top_pairs": {"name": "top_pairs", "pthat_min": 450},
    "svj": {"name": "svj", "m_phi": 2000, "r_inv": 0.3},
}


@pytest.mark.parametrize("name", PROCESSES)
def test_pythia_settings(name):
    lines = pythia_settings(Process.model_validate(PROCESSES[name]), SimulationSettings(), 1)
    assert lines == (FOLDER / f"simulation_{name}.cmnd").read_text().splitlines()


def test_seeds():
    jobs = [(1, "top", 0), (1, "top", 1), (2, "top", 0), (1, "svj_mphi-2000_rinv-0p3", 0)]
    assert [derive_seed(*job) for job in jobs] == [224853546, 838711475, 584866765, 391220796]
