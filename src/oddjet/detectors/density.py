"""One adapter for all baselines: fitted on background jets, they become functions from jets to scores.

Jets may count differently (weights of `oddjet.weighted.unequal`). Means, medians and covariances are taken by weight.
The other estimators of scikit-learn have no place for weights, and a network learns little from a batch of light jets:
they are fitted to jets that were drawn by the size of their weights, and the flow has their signs in its loss.
`WEIGHTED` and `SIGNED` say which kind does what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.svm import OneClassSVM

from oddjet.arrays import Floats
from oddjet.detectors import baseline_settings as kinds
from oddjet.detectors.registry import kind_named
from oddjet.errors import DetectorError
from oddjet.weighted import mean, quantiles

# From scaled jets (n, D) to scores (n,); larger is more anomalous.
Score: TypeAlias = Callable[[Floats], Floats]

# Kinds that take the weights themselves, and those that can use negative ones. A squared distance with a negative
# weight has no lowest value: deep support vector data description would send such jets ever farther away.
WEIGHTED = ("feature", "mahalanobis", "pca")
SIGNED = (*WEIGHTED, "neural_spline_flow")


def _feature(settings: kinds.SingleFeature, jets: Floats, seed: int, weights: Floats | None) -> Score:
    median = float(quantiles(jets[:, 0], 0.5, weights)) if weights is not None else float(np.median(jets[:, 0]))
    sign = {"high": 1.0, "low": -1.0}
    if settings.direction == "both":
        return lambda x: np.abs(x[:, 0] - median)
    return lambda x: sign[settings.direction] * (x[:, 0] - median)


def _mahalanobis(settings: kinds.Mahalanobis, jets: Floats, seed: int, weights: Floats | None) -> Score:
    if weights is None:
        gaussian = EmpiricalCovariance().fit(jets)
        return lambda x: gaussian.mahalanobis(x)
    centre, covariance = _gaussian("mahalanobis", jets, weights)
    precision = np.linalg.inv(covariance)
    return lambda x: np.einsum("ni,ij,nj->n", x - centre, precision, x - centre)


def _pca(settings: kinds.PcaResidual, jets: Floats, seed: int, weights: Floats | None) -> Score:
    if settings.components >= jets.shape[1]:
        raise DetectorError(
            f"pca: {settings.components} components of {jets.shape[1]} features leave no residual; lower `components`"
        )
    if weights is None:
        plane = PCA(settings.components, svd_solver="full").fit(jets)
        return lambda x: ((x - plane.inverse_transform(plane.transform(x))) ** 2).sum(axis=1)
    centre, covariance = _gaussian("pca", jets, weights)
    # Ascending: the residual lies along the first ones.
    across = np.linalg.eigh(covariance)[1][:, : jets.shape[1] - settings.components]
    return lambda x: (((x - centre) @ across) ** 2).sum(axis=1)


def _gaussian(kind: str, jets: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weighted mean (D,) and covariance (D, D) of jets (n, D)."""
    centre = np.asarray(mean(jets, weights))
    centred = jets - centre
    covariance = centred.T @ (weights[:, None] * centred) / weights.sum()
    smallest = np.linalg.eigvalsh(covariance)[0]
    if not smallest > 0:
        raise DetectorError(
            f"{kind}: with these weights the covariance has the eigenvalue {smallest:.2g}, so it is none; too few jets "
            "for so many negative weights: give more of them, or take the method off the config"
        )
    return centre, covariance


def _isolation_forest(settings: kinds.IsolationForest, jets: Floats, seed: int) -> Score:
    forest = IsolationForest(n_estimators=settings.trees, random_state=seed).fit(jets)
    return lambda x: -forest.score_samples(x)


def _nearest_neighbours(settings: kinds.NearestNeighbours, jets: Floats, seed: int) -> Score:
    tree = NearestNeighbors(n_neighbors=settings.neighbours).fit(jets)
    return lambda x: tree.kneighbors(x)[0].mean(axis=1)


def _local_outlier_factor(settings: kinds.LocalOutlierFactor, jets: Floats, seed: int) -> Score:
    factor = LocalOutlierFactor(n_neighbors=settings.neighbours, novelty=True).fit(jets)
    return lambda x: -factor.score_samples(x)


def _gaussian_mixture(settings: kinds.GaussianMixture, jets: Floats, seed: int) -> Score:
    mixture = GaussianMixture(settings.components, random_state=seed).fit(jets)
    return lambda x: -mixture.score_samples(x)


def _one_class_svm(settings: kinds.OneClassSvm, jets: Floats, seed: int) -> Score:
    machine = OneClassSVM(nu=settings.nu).fit(jets)
    return lambda x: -machine.score_samples(x)


WEIGHTED_FITS: Mapping[str, Callable[[Any, Floats, int, Floats | None], Score]] = {
    "feature": _feature,
    "mahalanobis": _mahalanobis,
    "pca": _pca,
}
FITS: Mapping[str, Callable[[Any, Floats, int], Score]] = {
    "isolation_forest": _isolation_forest,
    "nearest_neighbours": _nearest_neighbours,
    "local_outlier_factor": _local_outlier_factor,
    "gaussian_mixture": _gaussian_mixture,
    "one_class_svm": _one_class_svm,
}


def fit(settings: kinds.Baseline, jets: NDArray[np.floating[Any]], seed: int, weights: Floats | None = None) -> Score:
    """Fit a baseline without epochs.

    Parameters
    ----------
    settings : Baseline
        Kind and numbers.
    jets : ndarray, shape (n, D)
        Scaled training jets.
    seed : int
        For estimators with random starts.
    weights : ndarray, shape (n,), optional
        What `oddjet.weighted.unequal` gives. Kinds that are not among `SIGNED` take none: their jets were drawn by
        weight.

    Returns
    -------
    callable
        From scaled jets (n, D), float64, to scores (n,); larger is more anomalous.

    Raises
    ------
    DetectorError
        If there are fewer jets than the settings' neighbours, Gaussians or components need, or weights of both signs
        leave a covariance that is none.
    """
    baseline = settings
    check_count(settings, len(jets))
    score: Score = kind_named(baseline.kind).build(baseline, np.asarray(jets, dtype=np.float64), seed, weights)
    return score


def build(settings: kinds.Baseline, jets: Floats, seed: int, weights: Floats | None) -> Score:
    """Fit one of the kinds of this module to scaled jets (n, D) with weights (n,)."""
    if settings.kind in WEIGHTED:
        return WEIGHTED_FITS[settings.kind](settings, jets, seed, weights)
    return FITS[settings.kind](settings, jets, seed)


def check_count(settings: kinds.Baseline, count: int) -> None:
    """Raise `DetectorError` if there are fewer jets than the settings' neighbours, Gaussians or components need."""
    baseline = settings
    least = max(getattr(baseline, "neighbours", 1), getattr(baseline, "components", 1)) + 1
    if count < least:
        raise DetectorError(f"{baseline.kind}: {count} training jets, at least {least} are needed; give more jets")
