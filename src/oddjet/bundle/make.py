"""Make a bundle from files to files: nothing is written unless the graph gives the detector's scores."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.detectors.mean import background_moments
from oddjet.detectors.opening import Method
from oddjet.detectors.protocol import ScaledDetector
from oddjet.errors import ConfigError, DetectorError
from oddjet.evaluation.auc import Auc, SampleScores, compute_auc
from oddjet.evaluation.signals import Signal
from oddjet.evaluation.thresholds import thresholds
from oddjet.io.atomic import atomic_path, write_text
from oddjet.io.tables import read_table
from oddjet.messages import missing_package

LOGGER = logging.getLogger("oddjet")

FILES = ("model.onnx", "card.json", "check_jets.csv", "scorer.py")
PRECISION = 1e-5
CHECK_JETS = 100
NOT_FOR = (
    "jets made in another way than `jets` says: another radius, other candidates, outside of the window of pT and eta",
    "a probability: the score orders jets, and its scale means nothing",
    "a limit on a signal without uncertainties of one's own: thresholds and AUC are those of the samples named here",
)


class Tables(NamedTuple):
    """Jets: validation background for thresholds, test background and signals for parity and AUC."""

    validation: Path
    test: Path
    signals: Sequence[Signal]


class Scores(Protocol):
    """Scores jets: a detector of columns, or of the images of jets."""

    @property
    def name(self) -> str:
        """Name of the method."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds, in the order of the scores' columns."""

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epoch of each seed's parameters."""

    def score(self, jets: NDArray[np.void]) -> Floats:
        """Score jets (n,): shape (n, S)."""


class Graph(NamedTuple):
    """A graph of all seeds of a method.

    Attributes
    ----------
    model
        The model of onnx, with the input `features` (n, D) and the outputs `score` (n, S) and `mean` (n,).
    names
        Names of what the input holds.
    inputs
        From jets (n,) to the input.
    card
        What the card says of jets and detectors.
    """

    model: Any
    names: tuple[str, ...]
    inputs: Callable[[NDArray[np.void]], Floats]
    card: Mapping[str, object]


def make_bundle(
    method: str,
    detectors: Sequence[Scores],
    tables: Tables,
    output: Path,
    about: Mapping[str, str],
    *,
    mean: bool = False,
    graph: Graph | None = None,
) -> float:
    """Write `FILES` into a folder.

    Parameters
    ----------
    method : str
        Name of the method.
    detectors : sequence of Scores
        Its groups of seeds, or those of all members of a mean.
    tables : Tables
    output : Path
        Folder.
    about : mapping of str to str
        Provenance, stored in the card.
    mean : bool
        Standardise each seed on the validation background, as a mean of methods does.
    graph : Graph, optional
        Of the detectors; left out: they are `ScaledDetector`, and it is built from their columns.

    Returns
    -------
    float
        Largest relative difference between the graph and the detectors on all test jets.

    Raises
    ------
    ConfigError
        onnx or onnxruntime is missing.
    DetectorError
        A detector has no graph, or the graph gives other scores or another AUC; nothing is written then.
    """
    graph_of, run = _packages()
    validation, test = read_table(tables.validation), read_table(tables.test)
    moments = [_moments(detector, validation) for detector in detectors] if mean else None
    graph = graph or graph_of(detectors, moments)
    content = graph.model.SerializeToString()
    samples = {"background": test}
    for signal in tables.signals:
        samples[signal.name] = np.concatenate([read_table(path) for path in signal.files])
    scores = {name: run(content, jets, graph) for name, jets in samples.items()}
    worst, aucs = _compare(method, detectors, moments, samples, scores)
    check = _check_jets(test, graph, scores["background"][1])
    count = sum(map(len, samples.values()))
    card = {
        "method": method,
        "output": "mean, larger is more anomalous",
        "seeds": [seed for detector in detectors for seed in detector.seeds],
        "epochs": [epoch for detector in detectors for epoch in detector.epochs],
        "not_for": list(NOT_FOR),
        **graph.card,
        "thresholds": [asdict(one) for one in thresholds(validation, run(content, validation, graph)[1])],
        "auc": {name: {"value": auc.value, "error": auc.error} for name, auc in aucs.items()},
        "test_jets": {name: len(jets) for name, jets in samples.items()},
        "parity": {"largest_relative_difference": worst, "jets": count},
        "sha256": hashlib.sha256(content).hexdigest(),
        "provenance": dict(about),
        # Last: of an image it is a long list.
        "features": list(graph.names),
    }
    with atomic_path(output / "model.onnx") as path:
        path.write_bytes(content)
    write_text(output / "check_jets.csv", check)
    write_text(output / "scorer.py", Path(__file__).with_name("scorer.py").read_text(encoding="utf-8"))
    write_text(output / "card.json", json.dumps(card, indent=1) + "\n")
    LOGGER.info("%s: %s differs by %.1e at most on %d test jets", output, method, worst, count)
    return worst


def _packages() -> tuple[Any, Any]:
    """Import what builds a graph and what runs it."""
    try:
        import onnxruntime

        from oddjet.bundle.graphs import score_graph
    except ImportError as error:
        raise ConfigError(f"no bundle: {missing_package(error) or error}") from error

    def graph_of(detectors: Sequence[ScaledDetector], moments: Sequence[tuple[Any, Any]] | None) -> Graph:
        model, names = score_graph(detectors, moments)

        def columns(jets: NDArray[np.void]) -> Floats:
            return np.stack([jets[name].astype(np.float64) for name in names], axis=1)

        cards = [detector.card for detector in detectors]
        return Graph(
            model, names, columns, {"jets": dict(cards[0].jets), "detectors": [one.to_dict() for one in cards]}
        )

    def run(content: bytes, jets: NDArray[np.void], graph: Graph) -> list[NDArray[np.float64]]:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        parts = [
            session.run(["score", "mean"], {"features": graph.inputs(jets[i : i + 4096])})
            for i in range(0, len(jets), 4096)
        ]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    return graph_of, run


def _moments(detector: Scores, jets: NDArray[np.void]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    method = Method(detector.name, detector.seeds, detector.epochs)
    return background_moments(detector.score(jets), jets["weight"].astype(np.float64), method)


def _compare(
    method: str,
    detectors: Sequence[Scores],
    moments: Sequence[tuple[Any, Any]] | None,
    samples: Mapping[str, NDArray[np.void]],
    scores: Mapping[str, Sequence[NDArray[np.float64]]],
) -> tuple[float, dict[str, Auc]]:
    """Return the largest relative difference of all scores, and the AUC of the mean by signal; refuse what differs."""
    worst, means = 0.0, {}
    for name, jets in samples.items():
        own = [detector.score(jets) for detector in detectors]
        if moments is not None:
            own = [(one - centre) / deviation for one, (centre, deviation) in zip(own, moments, strict=True)]
        every = np.concatenate(own, axis=1)
        means[name] = every.mean(axis=1)
        pairs = [(scores[name][1], means[name])] + ([] if moments is not None else [(scores[name][0], every)])
        for found, expected in pairs:
            # A standardised score can be 0: what is small is compared with the scale of all.
            scale = np.maximum(np.abs(expected), 1e-3 * np.abs(expected).mean(axis=0))
            worst = max(worst, float(np.max(np.abs(found - expected) / scale)))
    if not worst < PRECISION:
        raise DetectorError(
            f"{method}: the graph differs from the detector by {worst:.1e} (relative), more than {PRECISION:g}; no "
            "bundle is written"
        )
    aucs = {}
    for name in list(samples)[1:]:
        graph, detector = (_auc(samples, values, name) for values in ({n: s[1] for n, s in scores.items()}, means))
        if abs(graph.value - detector.value) > 1e-6:
            raise DetectorError(
                f"{method}: the graph has the AUC {graph.value:.6f} for {name}, the detector {detector.value:.6f}; no "
                "bundle is written"
            )
        aucs[name] = graph
    return worst, aucs


def _auc(samples: Mapping[str, NDArray[np.void]], means: Mapping[str, NDArray[np.float64]], signal: str) -> Auc:
    both = [SampleScores(name, means[name], samples[name]["weight"]) for name in ("background", signal)]
    return compute_auc(*both)


def _check_jets(jets: NDArray[np.void], graph: Graph, means: NDArray[np.float64]) -> str:
    """Return a hundred jets, evenly spread over the test background, as CSV with all digits."""
    rows = np.unique(np.linspace(0, len(jets) - 1, CHECK_JETS).astype(int))
    lines = [",".join([*graph.names, "mean"])]
    values = np.column_stack([graph.inputs(jets[rows]), means[rows]])
    lines += [",".join(map(repr, row)) for row in values.tolist()]
    return "\n".join(lines) + "\n"
