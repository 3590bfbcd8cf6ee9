"""One adapter for all baselines: fitted on background jets, they become functions from jets to scores."""

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

from oddjet.models.baselines import settings as kinds
from oddjet.models.baselines.errors import BaselineError

Floats: TypeAlias = NDArray[np.float64]
# From scaled jets (n, D) to scores (n,); larger is more anomalous.
Score: TypeAlias = Callable[[Floats], Floats]


def _feature(settings: kinds.SingleFeature, jets: Floats, seed: int) -> Score:
    median = float(np.median(jets[:, 0]))
    sign = {"high": 1.0, "low": -1.0}
    if settings.direction == "both":
        return lambda x: np.abs(x[:, 0] - median)
    return lambda x: sign[settings.direction] * (x[:, 0] - median)


def _mahalanobis(settings: kinds.Mahalanobis, jets: Floats, seed: int) -> Score:
    gaussian = EmpiricalCovariance().fit(jets)
    return lambda x: gaussian.mahalanobis(x)


def _pca(settings: kinds.PcaResidual, jets: Floats, seed: int) -> Score:
    if settings.components >= jets.shape[1]:
        raise BaselineError(
            f"pca: {settings.components} components of {jets.shape[1]} features leave no residual; lower `components`"
        )
    plane = PCA(settings.components, svd_solver="full").fit(jets)
    return lambda x: ((x - plane.inverse_transform(plane.transform(x))) ** 2).sum(axis=1)


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


FITS: Mapping[str, Callable[[Any, Floats, int], Score]] = {
    "feature": _feature,
    "mahalanobis": _mahalanobis,
    "pca": _pca,
    "isolation_forest": _isolation_forest,
    "nearest_neighbours": _nearest_neighbours,
    "local_outlier_factor": _local_outlier_factor,
    "gaussian_mixture": _gaussian_mixture,
    "one_class_svm": _one_class_svm,
}


def fit(
    settings: kinds.BaselineSettings,
    jets: NDArray[np.floating[Any]],
    seed: int,
    validation: NDArray[np.floating[Any]] | None = None,
) -> Score:
    """Fit a baseline.

    Parameters
    ----------
    settings : BaselineSettings
        Kind and numbers.
    jets : ndarray, shape (n, D)
        Scaled training jets.
    seed : int
        For estimators with random starts.
    validation : ndarray, shape (m, D), optional
        Scaled background jets that choose the epoch of the kinds that have epochs.

    Returns
    -------
    callable
        From scaled jets (n, D), float64, to scores (n,); larger is more anomalous. Of a kind with epochs it is a
        `oddjet.models.baselines.trained.TrainedScore`.

    Raises
    ------
    BaselineError
        If there are fewer jets than the settings' neighbours, Gaussians or components need, no validation jets where
        they are needed, or a loss is not finite.
    """
    baseline = settings.root
    least = max(getattr(baseline, "neighbours", 1), getattr(baseline, "components", 1)) + 1
    if len(jets) < least:
        raise BaselineError(f"{baseline.kind}: {len(jets)} training jets, at least {least} are needed; give more jets")
    if isinstance(baseline, kinds.Trained):
        if validation is None or not len(validation):
            raise BaselineError(f"{baseline.kind}: no validation jets; they choose the epoch")
        # Estimators of scikit-learn do without torch's optimisers and without zuko.
        from oddjet.models.baselines.trained import train

        return train(baseline, jets, validation, seed)
    return FITS[baseline.kind](baseline, np.asarray(jets, dtype=np.float64), seed)
