"""Settings of the image VAE and of the supervised network; the defaults are those of arXiv:2110.06948."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from oddjet.detectors.registry import DetectorSettings
from oddjet.settings import Seeds, Settings
from oddjet.training.settings import Schedule, refuse_moved_keys

Metric = Literal["mse", "mae", "wass0p5", "wass1", "wass2"]
Depth = Annotated[int, Field(ge=1, le=3)]
# In the order of table 1.
Anomaly = Literal["loss", "mse", "mae", "wass0p5", "wass1", "wass2"]
ANOMALY_METRICS: tuple[str, ...] = get_args(Anomaly)


def _each_once(given: tuple[float, ...]) -> tuple[float, ...]:
    """Refuse numbers whose folders would have one name."""
    names = [f"{abs(number):g}" for number in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} stands twice (numbers are told apart by six digits)")
    return given


Depths = Annotated[tuple[Depth, ...], Field(min_length=1), AfterValidator(_each_once)]
Betas = Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...], Field(min_length=1), AfterValidator(_each_once)]


class VaeSchedule(Schedule):
    """Schedule of the paper: a tenth of the learning rate after 5 epochs without improvement, the end after 12."""

    epochs: int = Field(
        default=12, ge=1, description="passes over the images, at most; the paper stops by the validation loss alone"
    )
    batch_size: int = Field(default=64, ge=1, description="images a batch; with few jets small ones, for more steps")
    learning_rate_patience: int | None = Field(
        default=5,
        ge=1,
        description="epochs without a lower validation loss after which the rate falls by learning_rate_factor; null: "
        "it does not",
    )
    stop_after: int | None = Field(
        default=12, ge=1, description="epochs without a lower validation loss that end the training; null: all are run"
    )
    on_divergence: Literal["fail", "stop"] = Field(
        default="stop",
        description="a non-finite loss after the first epoch ends the training with an error, or with the best epoch",
    )


class TrainingSize(Settings):
    """How long a training is."""

    train_jets: int = Field(default=4000, ge=1, description="background jets that are trained on, at most")
    epochs: int | None = Field(default=None, ge=1, description="epochs, at most; left out: vae.training.epochs")
    batch_size: int | None = Field(default=None, ge=1, description="images a batch; left out: vae.training.batch_size")

    def schedule(self, common: VaeSchedule) -> VaeSchedule:
        """Return the common schedule with the numbers of this training."""
        own = {name: value for name in ("epochs", "batch_size") if (value := getattr(self, name)) is not None}
        return common.model_copy(update=own)


class VaeTraining(TrainingSize):
    """Trainings with one metric: every number of down-samplings with every beta."""

    depths: Depths = Field(default=(1, 2, 3), description="numbers of down-samplings")
    betas: Betas = Field(
        default=(0.0, 1e-8, 1e-6),
        description="weights of the KLD; the lowest validation loss on background chooses",
    )


class SinkhornSettings(Settings):
    """Sinkhorn's divergence, for trainings with `transport: sinkhorn`; no score is computed with it."""

    blur: float = Field(
        default=0.003,
        ge=0.0005,
        le=0.01,
        description="smallest distance that is resolved, in eta and phi. For copies of jets blurred by 0.7 pixels of "
        "0.08, which lie at 0.05, wass1 is 6 % too small with 0.003, 18 % with 0.01, 35 % with 0.02 (refused)",
    )
    scaling: float = Field(
        default=0.5,
        ge=0.3,
        le=0.95,
        description="factor between the steps of the annealing: for such copies wass2 is 3 % too small with 0.5, 8 % "
        "with 0.3, 22 % with 0.2, which is refused; 0.9 costs five times as much as 0.5 and leaves 0.3 %",
    )


class CnnSettings(Settings):
    """The supervised network, a ceiling: it is trained on labelled signal."""

    depths: Depths = Field(default=(3,), description="numbers of down-samplings")
    train_jets: int = Field(default=3000, ge=1, description="jets of each of the two classes, at most")
    epochs: int = Field(default=12, ge=1, description="epochs, at most")
    batch_size: int = Field(default=64, ge=1, description="images a batch")

    @model_validator(mode="before")
    @classmethod
    def _scale_is_that_of_the_vae(cls, values: object) -> object:
        if isinstance(values, dict) and "scale" in values:
            raise ValueError(f"scale stands beside cnn now, for the VAE too: images.vae: {{scale: {values['scale']}}}")
        return values


class VaeSettings(Settings):
    """The image VAE: networks, schedule, scores, correlations."""

    @model_validator(mode="before")
    @classmethod
    def _schedule_is_a_section(cls, values: object) -> object:
        return refuse_moved_keys(
            values,
            "batch_size",
            "learning_rate",
            "learning_rate_factor",
            "learning_rate_patience",
            "learning_rate_floor",
            "stop_after",
        )

    @model_validator(mode="before")
    @classmethod
    def _seeds_are_several(cls, values: object) -> object:
        if isinstance(values, dict) and "seed" in values:
            raise ValueError("seed is a list now, seeds, with a VAE for each: images.vae: {seeds: [1, 2]}")
        return values

    @model_validator(mode="after")
    def _divergence_exists(self) -> VaeSettings:
        if self.transport == "sinkhorn" and "wass0p5" in self.trainings:
            raise ValueError(
                "trainings: Sinkhorn's divergence is for wass1 and wass2; set transport to exact for wass0p5"
            )
        return self

    latent: int = Field(default=64, ge=1, description="latent dimensions")
    hidden: int = Field(default=100, ge=1, description="nodes of the dense layer before and after the latent space")
    filters: int = Field(default=5, ge=1, description="filters of every convolution")
    decoder_start: Literal["mirror", "single"] = Field(
        default="mirror",
        description="what the decoder unfolds: mirror, as many channels as filters; single, one channel, which is how "
        "the paper's text counts the nodes",
    )
    scale: float = Field(
        default=1000.0,
        gt=0,
        description="factor on the pixels that the encoder sees, of the VAE and of the supervised network: they add up "
        "to one, and with 1 a deep VAE learns the mean image; the paper names none",
    )
    kld: Literal["sum", "mean"] = Field(
        default="sum", description="over the latent dimensions; with mean the same beta is weaker by their number"
    )
    training: VaeSchedule = Field(default=VaeSchedule(), description="schedule of all trainings on images")
    validation_jets: int = Field(default=500, ge=2, description="background jets of the validation loss, at most")
    trainings: dict[Metric, VaeTraining] = Field(
        default={
            "mse": VaeTraining(betas=(0.0, 1e-6)),
            "wass1": VaeTraining(betas=(0.0,), epochs=8, batch_size=16),
        },
        description="which metrics are trained with, and how",
    )
    transport: Literal["exact", "sinkhorn"] = Field(
        default="exact",
        description="loss of trainings with wass0p5, wass1 and wass2: exact, by the network simplex; or sinkhorn, "
        "which is APPROXIMATE, has no wass0p5, and costs 14 to 160 times as much on a CPU (docs/vae.md)",
    )
    sinkhorn: SinkhornSettings = Field(default=SinkhornSettings(), description="of transport: sinkhorn")
    test_jets: int = Field(
        default=400, ge=2, description="jets of each sample that are scored, at most; three exact distances each"
    )
    correlation_jets: int = Field(
        default=500, ge=3, description="background test jets whose pairs are correlated; the paper has 1000"
    )
    cnn: CnnSettings = Field(default=CnnSettings(), description="supervised network")
    seeds: Seeds = Field(
        default=(1,),
        description="of initial weights, batches and latent noise: a VAE each; the supervised networks have the first",
    )

    @property
    def anomaly_metrics(self) -> tuple[str, ...]:
        """What the chosen VAEs are scored by."""
        return ANOMALY_METRICS

    @property
    def seed(self) -> int:
        """The seed of a training, which has one."""
        return self.seeds[0]


class VaeMethod(TrainingSize, DetectorSettings):
    """Distance of a jet's image from what a VAE makes of it, trained on background jets of the analysis, one a seed.

    Networks and schedule are those of `images.vae`, but for what is named here.
    """

    opener: ClassVar[str] = "oddjet.detectors.vae.scores"

    kind: Literal["vae"] = Field(description="distance of an image from its reconstruction")
    metric: Metric = Field(default="mse", description="distance that it is trained with")
    depth: Depth = Field(default=3, description="number of down-samplings")
    betas: Betas = Field(
        default=(1e-8,),
        description="weight of the KLD; of several, the lowest validation loss on background chooses, seed by seed",
    )
    anomaly: Anomaly = Field(
        default="mse", description="distance that is the score; those of transport are exact, a few milliseconds a jet"
    )

    @property
    def transported(self) -> str:
        """Return the transport distance that the score holds; empty where the score is a formula of the pixels."""
        distance = self.metric if self.anomaly == "loss" else self.anomaly
        return distance if distance.startswith("wass") else ""


class VaeScan(DetectorSettings):
    """Every beta of one training metric and depth by its loss, and the chosen one by all anomaly metrics."""

    opener: ClassVar[str] = "oddjet.studies.vae_scan"

    kind: Literal["vae_scan"] = Field(description="all betas of one training metric and depth")
    jets: int = Field(ge=2, description="jets of each sample that are scored, at most")
