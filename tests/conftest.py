"""Fixtures that several rooms use: small simulated samples, made once a test run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture
def browser() -> Iterator[Any]:
    """Give a headless Chromium, or skip where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright (the extra `browser`)")
    program = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if program is None:
        pytest.skip("needs Chromium or Chrome")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def top_root(simulate: Simulate) -> Path:
    """Give a ROOT file of 150 top pairs, pTHat > 450 GeV."""
    return simulate("top", {"name": "top_pairs", "pthat_min": 450}, 150)


@pytest.fixture(scope="session")
def svj_root(simulate: Simulate) -> Path:
    """Give a ROOT file of 150 semivisible-jet events, m_phi 2000 GeV, r_inv 0.3."""
    return simulate("svj", {"name": "svj", "m_phi": 2000, "r_inv": 0.3}, 150)


@pytest.fixture(scope="session")
def small_analysis(tmp_path_factory: pytest.TempPathFactory, top_root: Path) -> Path:
    """Give a folder with features.h5, dataset/ and models/METHOD/model.pt of every kind that can be published."""
    from oddjet.dataset.build import build_dataset
    from oddjet.dataset.scaler_file import Inputs
    from oddjet.dataset.settings import DatasetSettings
    from oddjet.detectors.autoencoder.settings import MethodSettings
    from oddjet.detectors.autoencoder.train import train_method
    from oddjet.detectors.baseline import fit_method
    from oddjet.detectors.registry import kind_named
    from oddjet.jets.extract import extract_features
    from oddjet.jets.settings import FeatureSettings

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "small_analysis"
    with FileLock(f"{folder}.lock"):
        if (folder / "finished").exists():
            return folder
        settings, dataset = FeatureSettings(), folder / "dataset"
        told = {"settings": settings.model_dump_json(), "sample": "top", "require_match": "none"}
        extract_features(top_root, folder / "features.h5", settings, attributes=told)
        shares = {"train": 0.6, "validation": 0.2, "test": 0.2}
        least = {"train": 20, "validation": 5, "test": 5}
        parts = {name: dataset / f"{name}.h5" for name in shares}
        build_dataset(
            [folder / "features.h5"],
            parts,
            dataset / "scaler.json",
            DatasetSettings.model_validate({"fractions": shares, "minimum_jets": least}),
            {},
        )
        inputs = Inputs(parts["train"], parts["validation"], dataset / "scaler.json")
        short = {"epochs": 2, "batch_size": 32}
        for name, more in {
            "ae": {"training": {**short, "snapshot_every": 2}},
            "mahalanobis": {},
            "gaussian_mixture": {"components": 2, "scaling": "power"},
            "neural_spline_flow": {"training": short, "hidden": [8], "transforms": 2},
            "nearest_neighbours": {"scaling": "quantile"},
        }.items():
            given = kind_named(name).settings.model_validate({"kind": name, **more})
            make = train_method if isinstance(given, MethodSettings) else fit_method
            make(name, given, (1, 2), inputs, folder / "models" / name)  # type: ignore[operator]
        (folder / "finished").touch()
    return folder
