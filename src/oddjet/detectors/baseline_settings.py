"""Settings of the baselines, one model a kind; the defaults are those of the usual comparisons."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from oddjet.detectors.autoencoder.settings import Scaling
from oddjet.detectors.registry import DetectorSettings
from oddjet.training.settings import Schedule, refuse_moved_keys


class Baseline(DetectorSettings):
    """Base of the settings of what is fitted at once, or trained on the mean of its score."""

    maximum_jets: int = Field(
        default=20_000, ge=10, description="training jets that are fitted; of more, each seed draws its own sample"
    )


class SingleFeature(Baseline):
    """One column of the feature table, alone."""

    kind: Literal["feature"]
    feature: str = Field(description="column, for example n_constituents; it need not be among dataset.features")
    direction: Literal["high", "low", "both"] = Field(
        default="both",
        description="which jets are anomalous; both: far from the median. Fixed before any signal is seen",
    )


class ScaledBaseline(Baseline):
    """Base of the settings of what sees the scaled features of the dataset."""

    scaling: Scaling = Field(
        default="dataset",
        description="coordinates of the jets: those of the dataset stage, or of the method's own, fitted on the "
        "training jets; see dataset.scaling",
    )


class Mahalanobis(ScaledBaseline):
    """Squared Mahalanobis distance from the mean of the training jets."""

    kind: Literal["mahalanobis"]


class PcaResidual(ScaledBaseline):
    """Squared distance from the plane of the leading principal components."""

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


class NetworkSchedule(Schedule):
    """Schedule of the networks among the baselines."""

    epochs: int = Field(default=40, ge=1, description="passes over the training jets, at most")
    batch_size: int = Field(default=512, ge=1, description="jets a batch")
    stop_after: int | None = Field(
        default=8,
        ge=1,
        description="epochs without a lower validation loss that end a seed's training; null: all epochs are run",
    )
    on_divergence: Literal["fail", "stop"] = Field(
        default="stop",
        description="a non-finite loss after the first epoch ends the training with an error, or that of this seed "
        "with its best epoch",
    )

    @model_validator(mode="after")
    def _no_snapshots(self) -> Self:
        if self.snapshot_every is not None or self.snapshot_epochs:
            raise ValueError("snapshot_every, snapshot_epochs: a baseline has no snapshots; remove them")
        return self


class SvddSchedule(NetworkSchedule):
    """Schedule of deep support vector data description."""

    epochs: int = Field(default=100, ge=1, description="passes over the training jets, at most")
    weight_decay: float = Field(default=1e-6, ge=0, description="decoupled weight decay (AdamW)")


class Trained(ScaledBaseline):
    """A network that is trained by epochs; the lowest loss on the validation jets chooses the epoch."""

    training: NetworkSchedule = Field(default=NetworkSchedule(), description="epochs, optimiser, learning rate")
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(64, 64), min_length=1, description="widths of the hidden layers"
    )

    @model_validator(mode="before")
    @classmethod
    def _schedule_is_a_section(cls, values: object) -> object:
        return refuse_moved_keys(values, "epochs", "stop_after", "batch_size", "learning_rate", "weight_decay")


class NeuralSplineFlow(Trained):
    """Negative log likelihood of a neural spline flow (Durkan et al., arXiv:1906.04032)."""

    kind: Literal["neural_spline_flow"]
    transforms: int = Field(default=3, ge=1, description="autoregressive spline transformations, one after the other")
    bins: int = Field(default=8, ge=2, description="bins of a spline")


class DeepSvdd(Trained):
    """Squared distance from a fixed centre, in the space of a network without biases (Ruff et al., ICML 2018)."""

    kind: Literal["deep_svdd"]
    training: SvddSchedule = Field(default=SvddSchedule(), description="epochs, optimiser, learning rate")
    latent: int = Field(default=8, ge=1, description="dimension of the space of the centre")
