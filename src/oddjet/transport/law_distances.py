"""Exact W between laws of weighted jets, with negative weights too.

The negative part of each law changes sides: P+ - P- is the same law as Q+ - Q- exactly where P+ + Q- and Q+ + P- are
the same, and both of these are sets of equal weight and size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from oddjet.transport.assignment import wasserstein
from oddjet.transport.laws import Law


def law_distance(first: Law, second: Law, power: int = 2) -> float:
    """Measure W_p^p a net jet between two laws of the same net size; without negative parts it is `wasserstein`."""
    ours = np.concatenate([first.positive, second.negative])
    theirs = np.concatenate([second.positive, first.negative])
    return wasserstein(ours, theirs, power=power) * (len(ours) / first.net)


def distance_of_samples(laws: Sequence[Law], power: int = 2) -> list[float]:
    """Measure each sample's distance to the next one, in a ring: what finite samples of one law are apart."""
    return [law_distance(law, laws[(index + 1) % len(laws)], power) for index, law in enumerate(laws)]
