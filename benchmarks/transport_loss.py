"""Measure exact transport as a training loss, with its gradient; prints lines `ratio NAME VALUE`.

Jet images of QCD against copies of themselves that a Gaussian blurs, by a few widths in pixels, as a reconstruction is.
The straightforward ways are `ot.emd2` with its own gradient, an image at a time, and Sinkhorn's divergence, which
trainings take with `transport: sinkhorn`. Exact values are compared with those of `ot.emd2` before anything is timed.
`step` is a pass of the VAE forth and back with the loss Wass(1), over one with MSE; `vae_channels_first` a pass of one
with its channels outermost, over ours. Processor times of one thread.

Example: python benchmarks/transport_loss.py --events 100
"""

from __future__ import annotations

import argparse

import numpy as np
import ot
import torch
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist
from torch import Tensor

from image_distance import simulated_images
from oddjet.detectors.vae.losses import training_distance
from oddjet.detectors.vae.networks import Shape, Vae
from oddjet.detectors.vae.settings import SinkhornSettings
from oddjet.transport.loss import exact_transport
from timing import least

WIDTHS = (0.7, 1.5, 3.0)
# A reconstruction's pixels below this share of its largest one are empty.
FAINT = 1e-4
REPEATS = 3


def emd2(images: Tensor, made: Tensor, costs: np.ndarray) -> np.ndarray:
    """Solve each pair by `ot.emd2`, with its dual potentials."""
    found = []
    for first, second in zip(images.flatten(1).numpy(), made.detach().flatten(1).numpy(), strict=True):
        one, other = first > 0, second > 0
        masses = first[one] / first[one].sum(), second[other] / second[other].sum()
        found.append(ot.emd2(*masses, np.ascontiguousarray(costs[np.ix_(one, other)]), return_matrix=True)[0])
    return np.array(found)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=200, help="QCD events to simulate (default: %(default)s)")
    arguments.add_argument("--jets", type=int, default=64, help="images of a batch (default: %(default)s)")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    sparse = simulated_images(given.events)
    dense = torch.from_numpy(sparse.dense()[: given.jets].astype(np.float64))
    side, settings = sparse.side, SinkhornSettings()
    places = (np.indices((sparse.pixels, sparse.pixels)).reshape(2, -1).T + 0.5) * side / sparse.pixels
    costs = cdist(places, places)
    network = Vae(Shape(pixels=sparse.pixels, depth=3))
    mse = training_distance("mse", side)
    single = dense.float()
    other = Vae(network.shape).to(memory_format=torch.contiguous_format)
    passed, plain = (
        least(lambda made=made: mse(single, made(single)[0]).sum().backward(), REPEATS) for made in (network, other)
    )
    print(f"a pass of the VAE with 3 down-samplings and MSE, forth and back: {1e3 * passed / len(dense):.2f} ms a jet")
    print(f"ratio vae_channels_first {plain / passed:.2f}")
    sinkhorn = training_distance("wass1", side, settings.blur, settings.scaling)
    for width in WIDTHS:
        copies = np.stack([gaussian_filter(image, width) for image in dense.numpy()])
        copies[copies < FAINT * copies.max(axis=(1, 2), keepdims=True)] = 0.0
        made = torch.from_numpy(copies).requires_grad_()
        value = exact_transport(dense, made, 1.0, side=side)
        difference = float(np.abs(value.detach().numpy() - emd2(dense, made, costs)).max())
        assert difference < 1e-10, f"exact transport differs from ot.emd2 by {difference}"
        rough = made.detach().float().requires_grad_()
        exact = least(lambda made=made: exact_transport(dense, made, 1.0, side=side).sum().backward(), REPEATS)
        slow = least(lambda made=made: emd2(dense, made, costs), REPEATS)
        # In single precision, as in a training.
        entropic = least(lambda rough=rough: sinkhorn(single, rough).sum().backward(), REPEATS)
        occupied, name = (copies > 0).sum() / len(copies), f"blur_{width:g}"
        cost = 1e3 * exact / len(dense)
        print(f"blur of {width:g} pixels: {occupied:.0f} of {sparse.pixels**2} pixels, {cost:.3f} ms a jet")
        print(f"ratio loss_emd2_{name} {slow / exact:.1f}")
        print(f"ratio loss_sinkhorn_{name} {entropic / exact:.1f}")
        print(f"ratio step_{name} {(passed + exact) / passed:.2f}")


if __name__ == "__main__":
    main()
