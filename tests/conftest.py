"""Fixtures that several rooms use: small simulated samples, made once a test run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock

# Two test processes on two cores: a second thread in each would only wait for the other's.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run, however long one takes: what fails here fails everywhere.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")

SEED = 7
Simulate = Callable[..., Path]


@pytest.fixture(scope="session")
def simulate(tmp_path_factory: pytest.TempPathFactory) -> Simulate:
    """Give a function that simulates a sample, or finds it where another worker of this test run has put it."""
    # Pythia, awkward and uproot take a second to import: only tests that want events wait for them.
    from oddjet.simulation.generate import simulate_sample
    from oddjet.simulation.settings import Process, SimulationSettings

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "simulated"
    folder.mkdir(exist_ok=True)

    def make(sample: str, process: dict[str, object], events: int, **settings: object) -> Path:
        path = folder / f"{sample}.root"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                simulate_sample(
                    path,
                    Process.model_validate(process),
                    SimulationSettings.model_validate(settings),
                    sample=sample,
                    part=0,
                    events=events,
                    seed=SEED,
                    attributes={"script": "conftest"},
                )
        return path

    return make


@pytest.fixture(scope="session")
def top_root(simulate: Simulate) -> Path:
    """Give a ROOT file of 150 top pairs, pTHat > 450 GeV."""
    return simulate("top", {"name": "top_pairs", "pthat_min": 450}, 150)


@pytest.fixture(scope="session")
def svj_root(simulate: Simulate) -> Path:
    """Give a ROOT file of 150 semivisible-jet events, m_phi 2000 GeV, r_inv 0.3."""
    return simulate("svj", {"name": "svj", "m_phi": 2000, "r_inv": 0.3}, 150)
