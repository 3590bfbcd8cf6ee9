"""Energy flow polynomials: a kernel of our own, and EnergyFlow where it is installed.

A polynomial is a sum over all tuples of constituents, one for each vertex of a graph, of their momentum fractions times
the distances along the edges. The sum over a vertex is carried out as soon as it has few neighbours: a leaf costs n^2
and a vertex on a path n^3, n the number of constituents. Only a graph without such a vertex (four vertices, each joined
to each) costs more.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.errors import JetError
from oddjet.io.candidates import Particles
from oddjet.jets import multigraphs
from oddjet.jets.multigraphs import FIX, FIXED_LEAF, FIXED_PAIR, LEAF, PAIR, Edges, Graph, Plan, plan_of
from oddjet.kernels import kernel
from oddjet.lanes import fused

Backend = Literal["auto", "own", "energyflow"]


def energyflow_serves(backend: Backend) -> bool:
    """Tell whether EnergyFlow computes the polynomials: if asked to, and with "auto" where it is installed.

    Raises
    ------
    JetError
        It is asked for and not installed.
    """
    if backend == "own":
        return False
    installed = find_spec("energyflow") is not None
    if backend == "energyflow" and not installed:
        raise JetError(
            "efp_backend is energyflow, which is not installed (it has no packages for Python 3.13 and later); set "
            "efp_backend to auto or own"
        )
    return installed


def polynomials(
    constituents: Particles, y: Floats, which: Sequence[Graph] | int, beta: float, backend: Backend = "auto"
) -> Floats:
    """Energy flow polynomials of each jet.

    Parameters
    ----------
    constituents
        One row a jet, none of them empty.
    y : shape (particles,)
        Rapidity.
    which
        Edges of each graph, repeated ones raising the power of that distance; or a degree from 1 to 6, for
        `multigraphs.graphs_up_to`.
    beta
        Angular exponent.
    backend
        What computes them; the two agree to 1e-12 of the value.

    Returns
    -------
    Floats
        Shape (graphs, jets): measure "hadr" with kappa 1, normalised to the sum of pT, over all ordered tuples of
        constituents.

    Raises
    ------
    JetError
        See `energyflow_serves`.

    References
    ----------
    Komiske, Metodiev, Thaler, JHEP 04 (2018) 013.
    """
    graphs = multigraphs.graphs_up_to(which) if isinstance(which, int) else which
    served = energyflow_serves(backend)
    if len(constituents) == 0:
        return np.zeros((len(graphs), 0))
    factors = [multigraphs.parts(graph) for graph in graphs]
    connected = list(dict.fromkeys(part for graph in factors for part in graph))
    values = (_with_energyflow if served else _with_kernel)(constituents, y, connected, beta)
    row = {part: place for place, part in enumerate(connected)}
    return np.stack([np.prod([values[row[part]] for part in graph], axis=0) for graph in factors])


def _with_energyflow(constituents: Particles, y: Floats, graphs: Sequence[Edges], beta: float) -> Floats:
    """Values of connected graphs, shape (graphs, jets), from EnergyFlow."""
    # It takes two seconds to import, and is not everywhere: only runs that ask for polynomials wait for it.
    import energyflow

    first = constituents.offsets[:-1][constituents.rows()]
    phi = (constituents.phi - constituents.phi[first] + np.pi) % (2 * np.pi) - np.pi
    events = np.split(np.stack([constituents.pt, y, phi], axis=1), constituents.offsets[1:-1])
    computed = energyflow.EFPSet(
        *[list(graph) for graph in graphs], measure="hadr", beta=beta, normed=True, coords="ptyphim"
    )
    values: Floats = np.asarray(computed.batch_compute(events, n_jobs=1), dtype=np.float64)
    return values.reshape(len(events), len(graphs)).T


def _with_kernel(constituents: Particles, y: Floats, graphs: Sequence[Edges], beta: float) -> Floats:
    """Values of connected graphs, shape (graphs, jets), from the kernel."""
    powers = max(max(multigraphs.multiplicities(graph).values()) for graph in graphs)
    plans = [plan_of(graph, powers) for graph in graphs]
    values: Floats = _polynomials(
        constituents.offsets, constituents.pt, y, constituents.phi, float(beta), powers, *_as_arrays(plans)
    )
    return values


def _as_arrays(plans: Sequence[Plan]) -> tuple[Ints, Ints, int, int]:
    """Give the steps of all plans, where each begins, loops, and how often; the most slots and vertices."""
    steps = np.array([step for plan in plans for step in plan.steps], np.int64)
    first = np.cumsum([0, *(len(plan.steps) for plan in plans)])
    limits = [
        (start, start + plan.loop, start + len(plan.steps), plan.fixed)
        for start, plan in zip(first[:-1], plans, strict=True)
    ]
    slots, vertices = (max(getattr(plan, name) for plan in plans) for name in ("slots", "vertices"))
    return steps, np.array(limits, np.int64), slots, vertices


@kernel
def _angles(n: int, beta: float, y: Floats, phi: Floats, powers: int, matrices: Floats) -> None:  # pragma: no cover
    """Fill the first slots with the powers of the distances, each raised to `beta`."""
    for i in range(n):
        row = matrices[0, i]
        for j in range(n):
            dphi = abs(phi[j] - phi[i])
            dphi = min(dphi, 2 * np.pi - dphi)
            dy = y[j] - y[i]
            row[j] = np.sqrt(dy * dy + dphi * dphi)
        if beta != 1.0:
            for j in range(n):
                row[j] = row[j] ** beta
        for power in range(1, powers):
            for j in range(n):
                matrices[power, i, j] = matrices[power - 1, i, j] * row[j]


@kernel
def _weighted_sum(n: int, weight: Floats, matrix: Floats, total: Floats) -> None:  # pragma: no cover - compiled
    """Sum the rows of a matrix, each times its weight: vector code in one order, as below."""
    total[:n] = 0.0
    for j in range(n):
        for k in range(n):
            total[k] = fused(weight[j], matrix[j, k], total[k])


@kernel
def _product(n: int, left: Floats, weight: Floats, right: Floats, out: Floats) -> None:  # pragma: no cover - compiled
    """Product of two matrices with a weight between them; four rows at a time, so that `out` is loaded less often."""
    whole = n - n % 4
    for i in range(n):
        row = out[i]
        row[:n] = 0.0
        for j in range(0, whole, 4):
            a, b = left[i, j] * weight[j], left[i, j + 1] * weight[j + 1]
            c, d = left[i, j + 2] * weight[j + 2], left[i, j + 3] * weight[j + 3]
            for k in range(n):
                pair = fused(b, right[j + 1, k], fused(a, right[j, k], row[k]))
                row[k] = fused(d, right[j + 3, k], fused(c, right[j + 2, k], pair))
        for j in range(whole, n):
            a = left[i, j] * weight[j]
            for k in range(n):
                row[k] = fused(a, right[j, k], row[k])


@kernel
def _carried_out(
    n: int, steps: Ints, weights: Floats, matrices: Floats, at: Ints, sums: Floats
) -> float:  # pragma: no cover - compiled
    """Do the steps in their order, the fixed vertices at the constituents `at`; gives the product of all factors."""
    value = 1.0
    for step in steps:
        kind, vertex, first = step[0], step[1], step[2]
        if kind == FIX:
            value *= weights[vertex, at[vertex]]
        elif kind == FIXED_PAIR:
            value *= matrices[step[4], at[vertex], at[first]]
        elif kind == FIXED_LEAF:
            for k in range(n):
                weights[first, k] *= matrices[step[4], at[vertex], k]
        elif kind == LEAF:
            _weighted_sum(n, weights[vertex], matrices[step[4]], sums)
            for k in range(n):
                weights[first, k] *= sums[k]
        elif kind == PAIR:
            out, turned = matrices[step[7]], matrices[step[7] + 1]
            _product(n, matrices[step[4]], weights[vertex], matrices[step[5]], out)
            if step[6] >= 0:
                for i in range(n):
                    for k in range(n):
                        out[i, k] *= matrices[step[6], i, k]
            for i in range(n):
                for k in range(n):
                    turned[k, i] = out[i, k]
        else:
            value *= weights[vertex, :n].sum()
    return value


@kernel
def _looped(
    n: int, steps: Ints, fixed: int, weights: Floats, matrices: Floats, at: Ints, sums: Floats
) -> float:  # pragma: no cover - compiled
    """Sum over all choices of the fixed vertices, which are those of the first steps."""
    saved = weights.copy()
    total = 0.0
    for choice in range(n**fixed):
        left = choice
        for place in range(fixed):
            at[steps[place, 1]] = left % n
            left //= n
        weights[:] = saved
        total += _carried_out(n, steps, weights, matrices, at, sums)
    return total


@kernel
def _polynomials(
    offsets: Ints,
    pt: Floats,
    y: Floats,
    phi: Floats,
    beta: float,
    powers: int,
    steps: Ints,
    limits: Ints,
    slots: int,
    vertices: int,
) -> Floats:  # pragma: no cover - compiled
    largest = 0
    for jet in range(len(offsets) - 1):
        largest = max(largest, offsets[jet + 1] - offsets[jet])
    matrices = np.empty((slots, largest, largest))
    weights = np.zeros((vertices, largest))
    sums = np.empty(largest)
    at = np.zeros(vertices, np.int64)
    values = np.zeros((len(limits), len(offsets) - 1))
    for jet in range(len(offsets) - 1):
        start, stop = offsets[jet], offsets[jet + 1]
        n = stop - start
        fractions = pt[start:stop] / pt[start:stop].sum()
        _angles(n, beta, y[start:stop], phi[start:stop], powers, matrices)
        for graph in range(len(limits)):
            for vertex in range(vertices):
                weights[vertex, :n] = fractions
            first, loop, last, fixed = limits[graph]
            value = _carried_out(n, steps[first:loop], weights, matrices, at, sums)
            if fixed > 0:
                value *= _looped(n, steps[loop:last], fixed, weights, matrices, at, sums)
            values[graph, jet] = value
    return values
