"""What supervision reaches on the same features: boosted trees that are told which jets are signal.

A ceiling and not a method: no search can train on the signal that it looks for. Trees take no part in any choice.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from oddjet.arrays import Floats
from oddjet.dataset.split import event_uniform
from oddjet.errors import TrainingError
from oddjet.evaluation.auc import Auc, AucRow, SampleScores, compute_auc
from oddjet.evaluation.backgrounds import find_backgrounds
from oddjet.evaluation.signals import Signal
from oddjet.io.tables import read_table
from oddjet.program import progress
from oddjet.weighted import check_weights, quantiles, unequal

SINGLE, POOLED = "supervised_trees", "supervised_trees_pooled"
# Each signal jet is scored by trees that did not see its event: trained on the other part.
FOLDS = 2
# The most that the trees can tell apart of a feature.
BINS = 255
IDENTIFIERS = ("run", "luminosityBlock", "event", "weight")


class Background(NamedTuple):
    """Training and test jets of the background."""

    train: NDArray[np.void]
    test: NDArray[np.void]


def ceiling_rows(
    background: tuple[Path, Path], signals: Sequence[Signal], features: Sequence[str], seeds: Sequence[int]
) -> list[AucRow]:
    """Train and test the trees.

    Parameters
    ----------
    background : pair of Path
        Training and test table of the background.
    signals : sequence of Signal
        With their feature tables.
    features : sequence of str
        Columns that the trees see.
    seeds : sequence of int
        Each divides the signal events into other folds.

    Returns
    -------
    list of AucRow
        `supervised_trees`, trained for each signal by itself, and `supervised_trees_pooled`, trained with all of them.
        The AUC is the mean over the folds, weighted by their signal jets; so is its error, as if the folds were fully
        correlated (they share the background), and the true one is not larger.

    Raises
    ------
    TrainingError
        If a fold has fewer than two jets of a signal.
    DatasetError
        If the weights of a sample do not add up to more than 0. Single ones may be negative: the trees' sums of
        gradients and curvatures take them with their sign.
    """
    columns = [*IDENTIFIERS, *features]
    jets = Background(*(read_table(path, columns) for path in background))
    check_weights(jets.train["weight"], "supervised trees: background")
    samples = {signal.name: _read_signal(signal, columns) for signal in signals}
    found = {}
    tasks = [(seed, mode) for seed in seeds for mode in (SINGLE, POOLED)]
    for seed, mode in progress(tasks, total=len(tasks), description="boosted trees"):
        train = _single if mode == SINGLE else _pooled
        for name, auc in train(jets, samples, features, seed):
            found[mode, seed, name] = auc
    against, count = find_backgrounds(background[1], (), 1)[0].name, len(jets.test)
    return [
        AucRow(mode, seed, signal.name, signal.point, *auc, len(samples[signal.name]), count, against)
        for mode in (SINGLE, POOLED)
        for seed in seeds
        for signal in signals
        for auc in [found[mode, seed, signal.name]]
    ]


def folds_of(jets: NDArray[np.void], seed: int) -> NDArray[np.intp]:
    """Divide jets into folds by a hash of their events: both jets of an event in one; shape (n,), 0 to `FOLDS` - 1."""
    return (event_uniform(jets, seed) * FOLDS).astype(np.intp)


def _read_signal(signal: Signal, columns: Sequence[str]) -> NDArray[np.void]:
    """Return the jets of a signal, with weights of the mean 1: several signals pool by their numbers of jets."""
    jets = np.concatenate([read_table(path, columns) for path in signal.files])
    if len(jets):
        check_weights(jets["weight"], f"supervised trees: signal {signal.name}")
        jets["weight"] /= jets["weight"].mean(dtype=np.float64)
    return jets


def _single(
    jets: Background, samples: Mapping[str, NDArray[np.void]], features: Sequence[str], seed: int
) -> Iterator[tuple[str, Auc]]:
    for name, signal in samples.items():
        folds = _checked_folds(name, signal, seed)
        parts = []
        for fold in range(FOLDS):
            trees = _fit(jets.train, signal[folds != fold], features, seed)
            parts.append(_test(trees, jets.test, signal[folds == fold], name, features))
        yield name, _mean(parts)


def _pooled(
    jets: Background, samples: Mapping[str, NDArray[np.void]], features: Sequence[str], seed: int
) -> Iterator[tuple[str, Auc]]:
    folds = {name: _checked_folds(name, signal, seed) for name, signal in samples.items()}
    parts: dict[str, list[tuple[Auc, int]]] = {name: [] for name in samples}
    for fold in range(FOLDS):
        others = np.concatenate([signal[folds[name] != fold] for name, signal in samples.items()])
        trees = _fit(jets.train, others, features, seed)
        for name, signal in samples.items():
            parts[name].append(_test(trees, jets.test, signal[folds[name] == fold], name, features))
    for name in samples:
        yield name, _mean(parts[name])


def _checked_folds(name: str, signal: NDArray[np.void], seed: int) -> NDArray[np.intp]:
    folds = folds_of(signal, seed)
    if np.bincount(folds, minlength=FOLDS).min() < 2:
        raise TrainingError(
            f"signal {name}: {len(signal)} jets are too few for supervised trees in {FOLDS} folds; give more events or "
            "files"
        )
    return folds


class Trees(NamedTuple):
    """Boosted trees, and the edges of the bins that they see of each feature."""

    edges: list[Floats]
    model: HistGradientBoostingClassifier

    def scores(self, matrix: NDArray[Any]) -> Floats:
        """Return the log odds of signal of rows (n, D), shape (n,)."""
        return np.asarray(self.model.decision_function(_binned(matrix, self.edges)))


def bin_edges(matrix: NDArray[Any], weights: Floats) -> list[Floats]:
    """Return edges that part each feature of rows (n, D) into `BINS` bins of equal weight, fewer where values repeat.

    scikit-learn's own edges are such quantiles too. It sorts the rows anew for each of them where there are weights,
    which took nine tenths of a training (1.9.0).
    """
    shares = np.arange(1, BINS) / BINS
    return [np.unique(quantiles(column, shares, unequal(weights))) for column in matrix.T]


def _binned(matrix: NDArray[Any], edges: Sequence[Floats]) -> Floats:
    columns = [np.searchsorted(of_bins, column) for of_bins, column in zip(edges, matrix.T, strict=True)]
    binned: Floats = np.stack(columns, axis=1).astype(np.float64)
    return binned


def _fit(background: NDArray[np.void], signal: NDArray[np.void], features: Sequence[str], seed: int) -> Trees:
    inputs = np.concatenate([_matrix(background, features), _matrix(signal, features)])
    truth = np.repeat([0, 1], [len(background), len(signal)])
    # Both classes count the same in sum, or a hundred signal jets would be noise among ten thousand of background.
    weights = np.concatenate([part["weight"] / part["weight"].sum() * len(truth) / 2 for part in (background, signal)])
    # No early stopping: by itself it begins at 10,000 rows, with a tenth of them held out whatever their event.
    model = HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.1,
        max_leaf_nodes=15,
        max_bins=BINS,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    edges = bin_edges(inputs, weights)
    return Trees(edges, model.fit(_binned(inputs, edges), truth, sample_weight=weights))


def _test(
    trees: Trees,
    background: NDArray[np.void],
    signal: NDArray[np.void],
    name: str,
    features: Sequence[str],
) -> tuple[Auc, int]:
    scores = [
        SampleScores(label, trees.scores(_matrix(part, features)), part["weight"])
        for label, part in (("background", background), (name, signal))
    ]
    return compute_auc(*scores), len(signal)


def _mean(parts: Sequence[tuple[Auc, int]]) -> Auc:
    counts = [count for _, count in parts]
    return Auc(
        statistics.fmean([auc.value for auc, _ in parts], counts),
        statistics.fmean([auc.error for auc, _ in parts], counts),
    )


def _matrix(jets: NDArray[np.void], features: Sequence[str]) -> NDArray[Any]:
    return np.stack([jets[name] for name in features], axis=1)
