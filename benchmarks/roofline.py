"""What a training step of the WNAE is made of, and how near its arithmetic is to what the processor can do.

Each part is timed alone, in a training that has run for some steps: one seed, one thread, medians of processor time.
Flops are those that the formulas need: of W weights, 2 W a point for a pass forward or back, four passes of 2 W and two
products for each step of the gradient through the chain. The peak is that of fused multiplications and additions of
float32 that a kernel of this package reaches on rows that lie in the first cache, where it loads one row for each two
of them, as the products do; the other bound, `register`, is the same without any loads.

Example: python benchmarks/roofline.py --batch 256
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from oddjet.arrays import Reals
from oddjet.detectors.autoencoder.chains import ChainRecord
from oddjet.detectors.autoencoder.energy import EnergyRecord
from oddjet.detectors.autoencoder.energy_kernels import BLOCK, empty_rows
from oddjet.detectors.autoencoder.negatives import transport
from oddjet.kernels import kernel
from oddjet.lanes import LANES, fused_lanes, lanes_of, no_lanes, sum_of_lanes
from oddjet.transport.augmenting_paths import fill_matches
from timing import median
from train_step import CHAIN, jets, running

PASSES, ROWS = 2000, 16
WARM_UP = 300


@kernel
def multiply_rows(rows: Reals, passes: int) -> float:
    """Multiply rows (n, BLOCK) with their neighbours, two by two, and add up all products."""
    whole = 0.0
    for _ in range(passes):
        for i in range(0, rows.shape[0], 4):
            a, b, c, d = no_lanes(rows), no_lanes(rows), no_lanes(rows), no_lanes(rows)
            for k in range(0, rows.shape[1], LANES):
                u, v = lanes_of(rows, i, k), lanes_of(rows, i + 1, k)
                x, y = lanes_of(rows, i + 2, k), lanes_of(rows, i + 3, k)
                a, b, c, d = fused_lanes(u, x, a), fused_lanes(u, y, b), fused_lanes(v, x, c), fused_lanes(v, y, d)
            whole += sum_of_lanes(a) + sum_of_lanes(b) + sum_of_lanes(c) + sum_of_lanes(d)
    return whole


@kernel
def multiply_registers(rows: Reals, passes: int) -> float:
    """Multiply what is in registers, five sums at a time."""
    x = lanes_of(rows, 0, 0)
    a, b, c, d, e = no_lanes(rows), no_lanes(rows), no_lanes(rows), no_lanes(rows), no_lanes(rows)
    for _ in range(passes):
        a, b, c, d, e = (
            fused_lanes(x, a, x), fused_lanes(x, b, x), fused_lanes(x, c, x), fused_lanes(x, d, x), fused_lanes(x, e, x)
        )  # fmt: skip
    return sum_of_lanes(a) + sum_of_lanes(b) + sum_of_lanes(c) + sum_of_lanes(d) + sum_of_lanes(e)


def peaks() -> tuple[float, float]:
    """Return what the processor reaches with loads and without, in Gflop/s."""
    rows = empty_rows(ROWS, np.empty(0, np.float32))
    rows[:] = 0.5
    loaded = 8 * ROWS // 4 * BLOCK * PASSES / median(lambda: multiply_rows(rows, PASSES), 20, 1)
    free = 10 * LANES * 1_000_000 / median(lambda: multiply_registers(rows, 1_000_000), 20, 1)
    return loaded / 1e9, free / 1e9


def parts(batch: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Return seconds and flops of the whole step, and of each part of it."""
    data = jets(10_000)
    group, step = running(1, batch, data, 1, WARM_UP * 256 // batch)
    network, sampler = group.network, group.objective.sampler
    known, widths = data[None, :batch].contiguous(), network.structure()[0]
    weights = int(np.sum(widths[:-1] * widths[1:]))
    shape = (CHAIN.steps, batch, data.shape[1])
    starts, noise = sampler.buffer.starts(sampler.replay, batch), sampler.noise.normal(*shape, dtype=torch.float32)
    record = ChainRecord(network, starts, noise, CHAIN, differentiable=True)
    _, adjoints = transport(record.samples, known)
    matches = np.empty(known.shape[:2], np.int64)
    both, points = torch.cat([known, record.samples], dim=1), batch * CHAIN.steps
    alive, rates = torch.ones(1, dtype=torch.bool), [1e-3]

    def matched() -> float:
        """Match a batch with negatives of its own: some are harder than others."""
        chosen = data[torch.randint(len(data), (1, batch))]
        samples = sampler.draw(network, chosen, differentiable=False).samples
        sets = [tensor.numpy().astype(np.float64, order="C") for tensor in (samples, chosen)]
        start = time.process_time()
        fill_matches(*sets, matches, 2)
        return time.process_time() - start

    return {
        "whole step": (median(step, repeats, 1), 0.0),
        "starts": (median(lambda: sampler.buffer.starts(sampler.replay, batch), repeats, 1), 0.0),
        "normal numbers": (median(lambda: sampler.noise.normal(*shape, dtype=torch.float32), repeats, 1), 0.0),
        "chain": (
            median(lambda: ChainRecord(network, starts, noise, CHAIN, differentiable=True), repeats, 1),
            4.0 * weights * points,
        ),
        "costs and assignment": (float(np.median([matched() for _ in range(repeats)])), 0.0),
        "gradient through the chain": (
            median(lambda: record.add_gradient(adjoints), repeats, 1),
            12.0 * weights * points,
        ),
        "energies": (median(lambda: EnergyRecord(network, both), repeats, 1), 2.0 * weights * 2 * batch),
        "optimizer": (median(lambda: group.update(alive, rates), repeats, 1), 0.0),
    }


def main() -> None:
    """Measure both batches of the paper."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--batch", type=int, nargs="+", default=[256, 1024], help="jets a batch")
    arguments.add_argument("--repeats", type=int, default=200, help="of each part")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    loaded, free = peaks()
    print(f"# float32, fused: {loaded:.1f} Gflop/s with a load for each two, {free:.1f} in registers")
    for batch in given.batch:
        found = parts(batch, given.repeats)
        (whole, _), *others = found.values()
        known = sum(seconds for seconds, _ in others)
        for name, (seconds, flops) in [*found.items(), ("all else", (whole - known, 0.0))]:
            rate = f"{flops / seconds / 1e9:6.1f} Gflop/s" if flops else ""
            print(f"# batch {batch}: {name:28} {1e3 * seconds:7.3f} ms {seconds / whole:4.0%} {rate}")
        seconds, flops = (sum(found[name][k] for name in ("chain", "gradient through the chain")) for k in (0, 1))
        print(f"ratio roofline_chain_{batch} {flops / seconds / 1e9 / loaded:.2f}", flush=True)


if __name__ == "__main__":
    main()
