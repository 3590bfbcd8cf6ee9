"""Energy flow polynomials: our kernel against EnergyFlow where it is installed, and against values from it everywhere.

The values lie beside this file. With EnergyFlow installed, `python tests/golden/test_jets_polynomials.py` writes them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from oddjet.errors import JetError
from oddjet.io.candidates import Particles
from oddjet.io.root import read_candidates
from oddjet.jets.clustering import cluster, rapidity
from oddjet.jets.multigraphs import graphs_up_to, parts, plan_of
from oddjet.jets.polynomials import polynomials

VALUES = Path(__file__).with_suffix(".json")
SIZES = (1, 2, 3, 5, 8, 14)
BETAS = (0.5, 1.0, 2.0)
DEGREE = 5
# Three graphs that no leaf and no path makes smaller, and two that are not connected.
HARD = {
    "every two of five": [(a, b) for a in range(5) for b in range(a)],
    "three and three": [(a, b) for a in range(3) for b in range(3, 6)],
    "wheel": [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1), (4, 1)],
    "four and two": [(5, 1), (3, 8), (3, 1), (3, 5), (8, 1), (8, 5), (0, 2)],
    "two of three": [(0, 4), (4, 7), (1, 2), (2, 3), (3, 1), (7, 0)],
}


def scattered(sizes: tuple[int, ...], seed: int = 1) -> Particles:
    """Jets across the seam of the azimuth, with fractions of a momentum that a few constituents carry."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    eta, phi = rng.normal(0.0, 0.3, (2, offsets[-1]))
    pt = rng.exponential(1.0, offsets[-1]) ** 3 + 0.1
    return Particles(offsets, pt, eta, np.angle(np.exp(1j * (np.pi + phi))), np.zeros(len(pt)))


def plain(pt: np.ndarray, y: np.ndarray, phi: np.ndarray, graph: list[tuple[int, int]], beta: float) -> float:
    """Sum over all tuples, written down."""
    dphi = np.abs(phi[:, None] - phi)
    angle = np.hypot(y[:, None] - y, np.minimum(dphi, 2 * np.pi - dphi)) ** beta
    nodes = {vertex: place for place, vertex in enumerate(sorted({vertex for edge in graph for vertex in edge}))}
    operands: list[object] = []
    for place in nodes.values():
        operands += [pt / pt.sum(), [place]]
    for a, b in graph:
        operands += [angle, [nodes[a], nodes[b]]]
    return float(np.einsum(*operands, [], optimize="greedy"))


def same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return bool(np.allclose(ours, theirs, rtol=1e-10, atol=0))


def test_values_are_those_kept_from_energyflow() -> None:
    kept = json.loads(VALUES.read_text())
    jets = Particles(np.array(kept["offsets"]), *(np.array(kept[name]) for name in ("pt", "eta", "phi", "mass")))
    assert [tuple(map(tuple, graph)) for graph in kept["graphs"]] == graphs_up_to(DEGREE)
    for beta in BETAS:
        theirs = np.array(kept["values"][f"{beta:g}"])
        assert theirs.shape == (101, len(SIZES))
        assert same(polynomials(jets, jets.eta, DEGREE, beta, "own"), theirs)


@pytest.mark.parametrize("beta", BETAS)
def test_values_are_those_of_energyflow(top_root: Path, beta: float) -> None:
    pytest.importorskip("energyflow", reason="EnergyFlow has no packages for this Python")
    (record,) = read_candidates(top_root)
    found = cluster(record.candidates, 0.8, 300.0)
    simulated = found.where(np.arange(len(found)) < 12).constituents
    for jets, y in ((simulated, rapidity(simulated)), (random := scattered((1, 4, 30, 60), 2), random.eta)):
        ours, theirs = (polynomials(jets, y, DEGREE, beta, backend) for backend in ("own", "energyflow"))
        assert ours.shape == (101, len(jets))
        assert same(ours, theirs)
        assert (theirs[:, -1] > 0).all()


def test_graphs_and_their_order_are_those_of_energyflow() -> None:
    energyflow = pytest.importorskip("energyflow", reason="EnergyFlow has no packages for this Python")
    for degree in (1, 4, 6):
        theirs = energyflow.EFPSet(f"d<={degree}", measure="hadr", beta=1, normed=True).graphs()
        assert graphs_up_to(degree) == [tuple((int(a), int(b)) for a, b in graph) for graph in theirs if len(graph)]


@pytest.mark.parametrize("name", HARD)
def test_graphs_of_every_shape_equal_the_plain_sum(name: str) -> None:
    jets = scattered((2, 6, 9))
    (ours,) = polynomials(jets, jets.eta, [HARD[name]], 0.7, "own")
    for jet, (a, b) in enumerate(zip(jets.offsets[:-1], jets.offsets[1:], strict=True)):
        expected = plain(jets.pt[a:b], jets.eta[a:b], jets.phi[a:b], HARD[name], 0.7)
        assert ours[jet] == pytest.approx(expected, rel=1e-10, abs=0)
    assert ours[-1] > 0


def test_only_graphs_without_a_leaf_or_path_fix_a_vertex() -> None:
    fixed = {name: [plan_of(part, 2).fixed for part in parts(graph)] for name, graph in HARD.items()}
    assert fixed == {
        "every two of five": [2],
        "three and three": [1],
        "wheel": [1],
        "four and two": [1, 0],
        "two of three": [0, 0],
    }
    assert sum(plan_of(part, 6).fixed for graph in graphs_up_to(5) for part in parts(graph)) == 0


def test_no_jets_give_no_values() -> None:
    assert polynomials(scattered(()), np.zeros(0), 3, 1.0).shape == (12, 0)


def test_without_energyflow_auto_is_the_kernel_and_asking_for_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "energyflow", None)
    jets = scattered((7,))
    assert (polynomials(jets, jets.eta, 2, 1.0, "auto") == polynomials(jets, jets.eta, 2, 1.0, "own")).all()
    with pytest.raises(JetError, match="efp_backend is energyflow, which is not installed"):
        polynomials(jets, jets.eta, 2, 1.0, "energyflow")


if __name__ == "__main__":
    made = scattered(SIZES)
    columns = {name: getattr(made, name).tolist() for name in ("offsets", "pt", "eta", "phi", "mass")}
    values = {f"{beta:g}": polynomials(made, made.eta, DEGREE, beta, "energyflow").tolist() for beta in BETAS}
    VALUES.write_text(json.dumps({**columns, "graphs": graphs_up_to(DEGREE), "values": values}) + "\n")
