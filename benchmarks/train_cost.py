"""Measure what a training step of the WNAE costs: milliseconds and peak memory by batch, chain length, width and seeds.

One thread; each line is a process of its own, so that its peak memory is its own. Milliseconds are medians of processor
time. Prints the table of docs/performance.md and draws its figure.

Example: python benchmarks/train_cost.py --steps 20 --figure docs/images/train_cost.png
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings

DEFAULT = {"batch": 256, "chain": 10, "width": 10, "seeds": 1}
VARIED = {
    "batch": (64, 128, 256, 512, 1024, 2048),
    "chain": (5, 10, 20, 40),
    "width": (10, 32, 64, 128, 256),
    "seeds": (1, 4, 16),
}


def measure(point: dict[str, int], steps: int) -> None:
    """Print the median milliseconds of a step and the peak memory in MB, torch and compiled code with it."""
    torch.set_num_threads(1)
    data = torch.randn(10_000, 8, generator=torch.Generator().manual_seed(1)).clamp(-3, 3)
    settings = MethodSettings.model_validate(
        {
            "kind": "wnae",
            "network": {"hidden": [point["width"], point["width"]]},
            "chain": {"steps": point["chain"]},
            "training": {"batch_size": point["batch"]},
        }
    )
    group = AutoencoderGroup(settings, range(point["seeds"]), BackgroundJets(data, data[:100]))
    alive, rates = torch.ones(point["seeds"], dtype=torch.bool), [1e-3] * point["seeds"]
    order = torch.Generator().manual_seed(2)
    times = []
    for _ in range(steps + 10):
        chosen = torch.randint(len(data), (point["seeds"], point["batch"]), generator=order)
        start = time.process_time()
        group.add_gradient((data[chosen], 0))
        group.update(alive, rates)
        times.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([1e3 * sorted(times[10:])[steps // 2], peak]))


def draw(rows: list[tuple[dict[str, int], float, float]], path: Path) -> None:
    """Draw milliseconds and peak memory against each of the four numbers, the others at their defaults."""
    import matplotlib.pyplot as plt  # not in the processes whose memory is measured

    names = {"batch": "jets a batch", "chain": "steps of the chain", "width": "hidden width", "seeds": "seeds"}
    figure, axes = plt.subplots(2, len(names), figsize=(12, 5), sharey="row", sharex="col", layout="constrained")
    for column, (name, label) in enumerate(names.items()):
        others = {key: value for key, value in DEFAULT.items() if key != name}
        line = sorted((point[name], ms, mb) for point, ms, mb in rows if others.items() <= point.items())
        for axis, values in zip(axes[:, column], (1, 2), strict=True):
            axis.plot([row[0] for row in line], [row[values] for row in line], "o-", color="#1f4e79")
            axis.set_xscale("log", base=2)
            axis.grid(alpha=0.3)
        axes[0, column].set_yscale("log")
        axes[1, column].set_xlabel(label)
    axes[0, 0].set_ylabel("ms a step")
    axes[1, 0].set_ylabel("peak memory [MB]")
    figure.savefig(path, dpi=100)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=20, help="steps measured")
    arguments.add_argument("--point", type=json.loads, help="measure this point alone, in this process")
    arguments.add_argument("--figure", type=Path, help="draw the curves into this file")
    given = arguments.parse_args()
    if given.point:
        measure(given.point, given.steps)
        return
    print("| batch | chain steps | hidden width | seeds | ms a step | ms a step and seed | peak memory, MB |")
    print("|---|---|---|---|---|---|---|")
    points = [DEFAULT] + [
        {**DEFAULT, name: value} for name, values in VARIED.items() for value in values if value != DEFAULT[name]
    ]
    rows = []
    for point in points:
        command = [sys.executable, __file__, "--steps", str(given.steps), "--point", json.dumps(point)]
        milliseconds, peak = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603
        rows.append((point, milliseconds, peak))
        numbers = " | ".join(str(value) for value in point.values())
        print(
            f"| {numbers} | {milliseconds:.2f} | {milliseconds / point['seeds']:.2f} | {peak:.0f} |",
            flush=True,
        )
    if given.figure:
        draw(rows, given.figure)


if __name__ == "__main__":
    main()
