"""Energy flow polynomials through EnergyFlow, the only module that imports it.

EnergyFlow needs `wasserstein`, which needs numpy below 2, and takes two seconds to import: `oddjet.jets.features` loads
this module only for a run whose settings name polynomials.
"""

from __future__ import annotations

from collections.abc import Sequence

import energyflow
import numpy as np

from oddjet.arrays import Floats
from oddjet.io.records import Particles

Graph = Sequence[tuple[int, int]]


def graphs_up_to(degree: int) -> list[tuple[tuple[int, int], ...]]:
    """List EnergyFlow's graphs with 1 to `degree` edges, disconnected ones too, in its order."""
    found = energyflow.EFPSet(f"d<={degree}", measure="hadr", beta=1, normed=True).graphs()
    return [tuple((int(a), int(b)) for a, b in graph) for graph in found if len(graph)]


def _events(constituents: Particles, y: Floats) -> list[Floats]:
    """One array (pT, y, phi) a jet, phi within pi of the first constituent's."""
    first = constituents.offsets[:-1][constituents.rows()]
    phi = (constituents.phi - constituents.phi[first] + np.pi) % (2 * np.pi) - np.pi
    columns = np.stack([constituents.pt, y, phi], axis=1)
    return np.split(columns, constituents.offsets[1:-1])


def polynomials(constituents: Particles, y: Floats, which: Sequence[Graph] | int, beta: float) -> Floats:
    """Energy flow polynomials of each jet.

    Parameters
    ----------
    constituents : Particles
        One row a jet, none of them empty.
    y : float64 array, shape (particles,)
        Rapidity.
    which : sequence of graphs, or int
        Edges of each graph, repeated ones raising the power of that distance; or a degree, for `graphs_up_to`.
    beta : float
        Angular exponent.

    Returns
    -------
    float64 array, shape (graphs, jets)
        Measure "hadr" with kappa 1, normalised to the sum of pT, over all ordered tuples of constituents.

    References
    ----------
    Komiske, Metodiev, Thaler, JHEP 04 (2018) 013.
    """
    graphs = graphs_up_to(which) if isinstance(which, int) else which
    if len(constituents) == 0:
        return np.zeros((len(graphs), 0))
    # EnergyFlow's own sets build disconnected graphs as products of their parts; the first one has no edge.
    arguments = [f"d<={which}"] if isinstance(which, int) else [list(graph) for graph in graphs]
    computed = energyflow.EFPSet(*arguments, measure="hadr", beta=beta, normed=True, coords="ptyphim")
    values: Floats = np.asarray(computed.batch_compute(_events(constituents, y), n_jobs=1), dtype=np.float64)
    return values.T[-len(graphs) :]
