"""Baselines that are fitted at once: the settings of each kind, and what fits it.

A fit gives a function from jets to scores. Means, medians and covariances are taken by weight (weights of
`oddjet.weighted.unequal`). The other estimators of scikit-learn have no place for weights: they are fitted to jets that
were drawn by the size of their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from oddjet.detectors.baseline_settings import Baseline, ScaledBaseline
from oddjet.errors import DetectorError

if TYPE_CHECKING:
    import sklearn.mixture

    from oddjet.arrays import Floats
    from oddjet.detectors.fitted import Score


class SingleFeature(Baseline):
    """One column of the feature table, alone."""

    weighted: ClassVar[bool] = True
    signed: ClassVar[bool] = True

    kind: Literal["feature"]
    feature: str = Field(description="column, for example n_constituents; it need not be among dataset.features")
    direction: Literal["high", "low", "both"] = Field(
        default="both",
        description="which jets are anomalous; both: far from the median. Fixed before any signal is seen",
    )


class Mahalanobis(ScaledBaseline):
    """Squared Mahalanobis distance from the mean of the training jets."""

    weighted: ClassVar[bool] = True
    signed: ClassVar[bool] = True

    kind: Literal["mahalanobis"]


class PcaResidual(ScaledBaseline):
    """Squared distance from the plane of the leading principal components."""

    weighted: ClassVar[bool] = True
    signed: ClassVar[bool] = True

    kind: Literal["pca"]
    components: int = Field(default=4, ge=1, description="dimension of the plane")


class IsolationForest(ScaledBaseline):
    """Isolation forest."""

    kind: Literal["isolation_forest"]
    trees: int = Field(default=200, ge=1, description="number of trees")


class NearestNeighbours(ScaledBaseline):
    """Mean distance to the nearest training jets."""

    kind: Literal["nearest_neighbours"]
    neighbours: int = Field(default=10, ge=1, description="number of training jets")


class LocalOutlierFactor(ScaledBaseline):
    """Local outlier factor."""

    kind: Literal["local_outlier_factor"]
    neighbours: int = Field(default=20, ge=1, description="number of training jets")


class GaussianMixture(ScaledBaseline):
    """Negative log likelihood under a mixture of Gaussians with full covariances."""

    kind: Literal["gaussian_mixture"]
    components: int = Field(default=30, ge=1, description="number of Gaussians")


class OneClassSvm(ScaledBaseline):
    """One-class support vector machine with a Gaussian kernel of scikit-learn's `scale` width."""

    kind: Literal["one_class_svm"]
    nu: float = Field(default=0.2, gt=0, le=1, description="upper bound on the share of training jets outside")
    maximum_jets: int = Field(default=5_000, ge=10, description="training jets; the fit takes their number squared")


def _feature(settings: SingleFeature, jets: Floats, seed: int, weights: Floats | None) -> Score:
    import numpy as np

    median = reference_value(jets, weights)
    sign = {"high": 1.0, "low": -1.0}
    if settings.direction == "both":
        return lambda x: np.abs(x[:, 0] - median)
    return lambda x: sign[settings.direction] * (x[:, 0] - median)


def reference_value(jets: Floats, weights: Floats | None) -> float:
    """Return the median of a single feature (n, 1), by weight."""
    import numpy as np

    from oddjet.weighted import quantiles

    return float(quantiles(jets[:, 0], 0.5, weights)) if weights is not None else float(np.median(jets[:, 0]))


def gaussian(jets: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """Return the centre (D,) and the precision (D, D) behind the Mahalanobis distance of these training jets."""
    import numpy as np
    import sklearn.covariance

    if weights is None:
        fitted = sklearn.covariance.EmpiricalCovariance().fit(jets)
        return fitted.location_, fitted.get_precision()
    centre, covariance = _gaussian("mahalanobis", jets, weights)
    return centre, np.linalg.inv(covariance)


def _mahalanobis(settings: Mahalanobis, jets: Floats, seed: int, weights: Floats | None) -> Score:
    import numpy as np
    import sklearn.covariance

    if weights is None:
        fitted = sklearn.covariance.EmpiricalCovariance().fit(jets)
        return lambda x: fitted.mahalanobis(x)
    centre, precision = gaussian(jets, weights)
    return lambda x: np.einsum("ni,ij,nj->n", x - centre, precision, x - centre)


def _pca(settings: PcaResidual, jets: Floats, seed: int, weights: Floats | None) -> Score:
    import sklearn.decomposition

    if settings.components >= jets.shape[1]:
        raise DetectorError(
            f"pca: {settings.components} components of {jets.shape[1]} features leave no residual; lower `components`"
        )
    if weights is None:
        fitted = sklearn.decomposition.PCA(settings.components, svd_solver="full").fit(jets)
        return lambda x: ((x - fitted.inverse_transform(fitted.transform(x))) ** 2).sum(axis=1)
    centre, across = plane(settings, jets, weights)
    return lambda x: (((x - centre) @ across) ** 2).sum(axis=1)


def plane(settings: PcaResidual, jets: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """Return a centre (D,) and a matrix (D, M) that takes away all but the residual off the plane of these jets."""
    import numpy as np
    import sklearn.decomposition

    if weights is None:
        fitted = sklearn.decomposition.PCA(settings.components, svd_solver="full").fit(jets)
        along = fitted.components_
        return fitted.mean_, np.eye(jets.shape[1]) - along.T @ along
    centre, covariance = _gaussian("pca", jets, weights)
    # Ascending: the residual lies along the first ones.
    return centre, np.linalg.eigh(covariance)[1][:, : jets.shape[1] - settings.components]


def _gaussian(kind: str, jets: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weighted mean (D,) and covariance (D, D) of jets (n, D)."""
    import numpy as np

    from oddjet.weighted import mean

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


def _isolation_forest(settings: IsolationForest, jets: Floats, seed: int) -> Score:
    import sklearn.ensemble

    forest = sklearn.ensemble.IsolationForest(n_estimators=settings.trees, random_state=seed).fit(jets)
    return lambda x: -forest.score_samples(x)


def _nearest_neighbours(settings: NearestNeighbours, jets: Floats, seed: int) -> Score:
    import sklearn.neighbors

    tree = sklearn.neighbors.NearestNeighbors(n_neighbors=settings.neighbours).fit(jets)
    return lambda x: tree.kneighbors(x)[0].mean(axis=1)


def _local_outlier_factor(settings: LocalOutlierFactor, jets: Floats, seed: int) -> Score:
    import sklearn.neighbors

    factor = sklearn.neighbors.LocalOutlierFactor(n_neighbors=settings.neighbours, novelty=True).fit(jets)
    return lambda x: -factor.score_samples(x)


def _gaussian_mixture(settings: GaussianMixture, jets: Floats, seed: int) -> Score:
    fitted = mixture(settings, jets, seed)
    return lambda x: -fitted.score_samples(x)


def mixture(settings: GaussianMixture, jets: Floats, seed: int) -> sklearn.mixture.GaussianMixture:
    """Fit a mixture of Gaussians to scaled jets (n, D), float64."""
    import sklearn.mixture

    return sklearn.mixture.GaussianMixture(settings.components, random_state=seed).fit(jets)


def _one_class_svm(settings: OneClassSvm, jets: Floats, seed: int) -> Score:
    import sklearn.svm

    machine = sklearn.svm.OneClassSVM(nu=settings.nu).fit(jets)
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


def build(settings: Baseline, jets: Floats, seed: int, weights: Floats | None) -> Score:
    """Fit one of the kinds of this module to scaled jets (n, D) with weights (n,)."""
    if settings.weighted:
        return WEIGHTED_FITS[settings.kind](settings, jets, seed, weights)
    return FITS[settings.kind](settings, jets, seed)
