"""Measure what a run spends before it works: starts of programs, its plan, and compiling; prints `ratio NAME VALUE`.

Seconds of processor time, the least of some runs. `start` is a start that imports all packages of the stages over the
mean one of a program (`--help`), `start_slowest` 0.7 s over the slowest of those that need neither torch, scikit-learn
nor Snakemake. `plan_default` compares `snakemake -n` of the default run, nothing of it done, with a bare workflow of as
many jobs; `plan_default_bar` is 2 s over it. `compile` is 25 s over what the kernels of features and of three trainings
take in a fresh folder (NUMBA_CACHE_DIR), less what the same work takes with kernels that are kept.

Example: python benchmarks/starts.py --runs 3
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from plan_grid import PARTS, ROOT, bare_workflow, plan

PACKAGES = "awkward, h5py, matplotlib.figure, numba, sklearn.ensemble, torch, uproot"
SLOW = {"torch", "sklearn", "snakemake"}
WORK = """
import sys, time
from pathlib import Path
import torch
from oddjet.detectors.autoencoder.energy import measure_energy
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings
from oddjet.training.loop import fit
extract_features(sys.argv[1], Path(sys.argv[2]), FeatureSettings())
jets = torch.randn(2000, 8, generator=torch.Generator().manual_seed(1)).clamp(-3, 3)
for kind in ("ae", "nae", "wnae"):
    settings = MethodSettings.model_validate({"kind": kind, "training": {"epochs": 1}})
    group = AutoencoderGroup(settings, (1, 2), BackgroundJets(jets, jets[:500]))
    fit(group, settings.training)
    measure_energy(group.evaluated, jets.expand(2, *jets.shape))
"""
SIMULATE = """
import sys
from pathlib import Path
from oddjet.simulation.generate import simulate_sample
from oddjet.simulation.settings import Process, SimulationSettings
process = Process.model_validate({"name": "top_pairs"})
settings = SimulationSettings()
simulate_sample(Path(sys.argv[1]), process, settings, sample="top", part=0, events=40, seed=1, attributes={})
"""


def seconds(command: list[str], runs: int = 1, **environment: str) -> tuple[float, str]:
    """Return the least processor time of a command, and what it printed."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(  # noqa: S603 - our own programs
            command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times), done.stdout + done.stderr


def starts(runs: int) -> None:
    """Start all programs."""
    whole, _ = seconds([sys.executable, "-c", f"import {PACKAGES}"], runs)
    times, light = {}, {}
    for path in sorted((ROOT / "workflow/scripts").glob("*.py")):
        times[path.stem], _ = seconds([sys.executable, str(path), "--help"], runs)
        _, told = seconds([sys.executable, "-X", "importtime", str(path), "--help"])
        if not SLOW & {line.rpartition("|")[2].strip() for line in told.splitlines()}:
            light[path.stem] = times[path.stem]
    mean, slowest = sum(times.values()) / len(times), max(light, key=lambda name: light[name])
    print(f"# {len(times)} programs start in {mean:.2f} s on average; {len(light)} need none of {', '.join(SLOW)}:")
    over = [f"{name} {value:.2f}" for name, value in sorted(light.items(), key=lambda item: -item[1])[:5]]
    print(f"# the slowest of these are {', '.join(over)} s; all packages take {whole:.2f} s")
    print(f"ratio start {whole / mean:.2f}")
    print(f"ratio start_slowest {0.7 / light[slowest]:.2f}", flush=True)


def planned(runs: int, folder: Path) -> None:
    """Plan the default run, and a bare workflow."""
    ours, bare = folder / "ours", folder / "bare"
    bare.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, ours / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, ours / part)
    taken, jobs = plan(ours, runs + 1)
    (bare / "Snakefile").write_text(bare_workflow(sum(jobs), len(jobs)))
    theirs, _ = plan(bare, runs)
    print(f"# {sum(jobs)} jobs planned in {taken:.2f} s, of a bare workflow in {theirs:.2f} s")
    print(f"ratio plan_default {theirs / taken:.2f}")
    print(f"ratio plan_default_bar {2.0 / taken:.2f}", flush=True)


def compiling(folder: Path) -> None:
    """Work with kernels that are compiled, and with kept ones."""
    events = folder / "events.root"
    seconds([sys.executable, "-c", SIMULATE, str(events)])
    command = [sys.executable, "-c", WORK, str(events), str(folder / "jets.h5")]
    fresh, kept = (seconds(command, NUMBA_CACHE_DIR=str(folder))[0] for _ in range(2))
    files = len(list(folder.rglob("*.nbc")))
    print(f"# {files} kernels compiled in {fresh - kept:.1f} s; the work takes {kept:.1f} s with kept ones")
    print(f"ratio compile {25.0 / (fresh - kept):.2f}")
    print(f"ratio kernels_kept {fresh / kept:.2f}")


def main() -> None:
    """Read the arguments and measure."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=2, help="of each, of which the fastest counts")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        compiling(Path(name))
        planned(given.runs, Path(name))
    starts(given.runs)


if __name__ == "__main__":
    main()
