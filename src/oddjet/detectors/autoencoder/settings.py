"""Settings of the models: network, Langevin chain, replay buffer and loss of a method."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from oddjet.detectors.registry import TrainedSettings
from oddjet.settings import Settings
from oddjet.training.settings import Schedule

Scaling = Literal["dataset", "min_max", "standard", "power", "quantile"]

# Kinds with negative samples.
NORMALIZED = ("nae", "nae_logcosh", "wnae")


class NetworkSettings(Settings):
    """Fully connected autoencoder; the defaults are 8-10-10-6-10-10-8, from the paper's authors' example of 2024."""

    hidden: tuple[int, ...] = Field(
        default=(10, 10), description="widths of the encoder's hidden layers; the decoder mirrors"
    )
    latent: int = Field(default=6, ge=1, description="width of the latent layer, which is linear like the output")
    activation: Literal["relu", "leaky_relu", "elu", "silu", "tanh"] = Field(
        default="relu", description="after every hidden layer; relu has closed-form gradients and is the fastest by far"
    )

    @model_validator(mode="after")
    def _widths(self) -> Self:
        if any(width < 1 for width in self.hidden):
            raise ValueError(f"hidden: every width is at least 1, not {self.hidden}")
        return self

    def widths(self, n_features: int) -> tuple[int, ...]:
        """Widths of all layers from the input to the output, for example (8, 10, 10, 6, 10, 10, 8)."""
        return (n_features, *self.hidden, self.latent, *reversed(self.hidden), n_features)


class LangevinSettings(Settings):
    """Langevin chain x' = x - (step / temperature) * gradient of E + noise * N(0, 1)."""

    steps: int = Field(default=10, ge=1, description="steps of a chain")
    noise: float | None = Field(default=None, gt=0, description="sigma; left out: sqrt(2 step)")
    step: float | None = Field(
        default=None, gt=0, description="epsilon; left out: noise^2 / 2, which samples exp(-E/T) as steps get small"
    )
    temperature: float = Field(default=0.063, gt=0, description="T of the density exp(-E/T)")
    metropolis: bool = Field(
        default=False,
        description="accept or reject each step by Metropolis and Hastings: samples exp(-E/T) whatever the step; steps "
        "out of the box are rejected",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.noise is None and self.step is None:
            raise ValueError("give noise, step or both")
        return self

    @property
    def step_size(self) -> float:
        """Step epsilon, from sigma^2 = 2 epsilon when it is left out."""
        if self.step is not None:
            return self.step
        assert self.noise is not None
        return 0.5 * self.noise**2

    @property
    def noise_size(self) -> float:
        """Standard deviation sigma of the noise, from sigma^2 = 2 epsilon when it is left out."""
        if self.noise is not None:
            return self.noise
        assert self.step is not None
        return float((2.0 * self.step) ** 0.5)


class ChainSettings(LangevinSettings):
    """Chain of the negative samples, in a box; the defaults are those of the public example of the paper's authors."""

    noise: float | None = Field(
        default=0.22, gt=0, description="sigma; left out: 0.22, or sqrt(2 step) where step is given"
    )
    bounds: tuple[float, float] = Field(default=(-3.0, 3.0), description="box of every scaled feature")
    at_bounds: Literal["clamp", "reflect"] = Field(
        default="clamp", description="a point that leaves the box is set on its edge, or reflected"
    )
    start: Literal["pcd", "cd", "omi"] = Field(
        default="pcd",
        description="where chains start: pcd, ends of earlier chains; cd, the batch of jets; omi, decoded ends of "
        "chains in the latent space (on-manifold initialisation), which are what the replay buffer then keeps",
    )
    latent: LangevinSettings | None = Field(default=None, description="chain in the latent space; for start omi alone")
    anneal_from: float = Field(
        default=1.0,
        ge=1,
        description="annealed chain: factor on the temperature of the first step, which then falls to T at the "
        "last step, the same factor a step; step and noise^2 fall with it, and the drift per gradient stays",
    )

    @model_validator(mode="before")
    @classmethod
    def _noise_follows_step(cls, values: object) -> object:
        # The default is that of a chain of which nothing is said: beside a step it would be another temperature.
        if isinstance(values, dict) and values.get("step") is not None and "noise" not in values:
            values = {**values, "noise": None}
        return values

    @model_validator(mode="before")
    @classmethod
    def _fill_latent(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("start") == "omi" and values.get("latent") is None:
            values = {**values, "latent": {"step": 1.0, "noise": 1.0}}
        return values

    @model_validator(mode="after")
    def _box(self) -> Self:
        if self.bounds[0] >= self.bounds[1]:
            raise ValueError(f"bounds: the lower end comes first, not {self.bounds}")
        if self.latent is not None and self.start != "omi":
            raise ValueError(f"latent is read with start omi alone, not {self.start}: remove it")
        if self.anneal_from != 1 and (self.metropolis or self.steps == 1):
            raise ValueError(f"anneal_from {self.anneal_from:g} needs two steps or more and no metropolis: remove it")
        return self

    def noise_factors(self) -> tuple[float, ...] | None:
        """Factor on the noise of each step of an annealed chain, the root of its temperature over T; None without."""
        if self.anneal_from == 1:
            return None
        return tuple(self.anneal_from ** (0.5 * (1.0 - step / (self.steps - 1))) for step in range(self.steps))


class ReplaySettings(Settings):
    """Replay buffer of persistent contrastive divergence (PCD)."""

    capacity: int = Field(default=10_000, ge=1, description="chain ends kept a seed; the oldest go first")
    fresh_fraction: float = Field(default=0.05, ge=0, le=1, description="probability that a chain starts from N(0, 1)")


class LossSettings(Settings):
    """Numbers in the losses; regularisers as in Yoon et al., Autoencoding under normalization constraints (2021)."""

    positive_energy_weight: float = Field(
        default=0.001, ge=0, description="alpha of nae_logcosh: log cosh(E+ - E-) + alpha E+"
    )
    power: Literal[1, 2] = Field(default=2, description="wnae: W2^2 (squared Euclidean cost, no root) or W1")
    transport: Literal["exact", "sinkhorn"] = Field(
        default="exact",
        description="wnae: exact assignment, or APPROXIMATE: Sinkhorn's divergence (entropic transport, its bias taken "
        "off), which tends to the exact cost as blur goes to 0. W on validation is always exact",
    )
    blur: float = Field(
        default=0.05, gt=0, description="sinkhorn: length (scaled units) below which transport is not resolved"
    )
    sinkhorn_iterations: int = Field(default=20, ge=1, description="sinkhorn: pairs of updates at that blur")
    negative_energy_square: float = Field(default=0.0, ge=0, description="gamma: adds gamma times the mean of E-^2")
    encoder_norm: float = Field(default=0.0, ge=0, description="adds so much times the sum of the encoder's weights^2")
    decoder_norm: float = Field(default=0.0, ge=0, description="adds so much times the sum of the decoder's weights^2")
    train_temperature: bool = Field(
        default=False, description="nae kinds: the temperature follows the likelihood, each seed its own"
    )


class ValidationSettings(Settings):
    """What the Wasserstein distance on validation jets is measured with."""

    jets: int = Field(
        default=500,
        ge=1,
        le=20_000,
        description="validation jets of a draw, and as many negatives; cost grows as n^2.5. Fewer where the validation "
        "jets, or their effective number by weight, are fewer than draws * jets",
    )
    draws: int = Field(
        default=4,
        ge=1,
        le=1000,
        description="draws that share no jet and no negative: W is their mean, with its error; 1: no error",
    )
    rounds: int = Field(
        default=5,
        ge=1,
        description="how often a validation runs each of its own chains on, for each epoch since the last one "
        "(at most 100 times): they follow the weights that are kept",
    )
    monitor_every: int = Field(
        default=8,
        ge=1,
        description="nae kinds, whose loss is not W: measure W on the training sample every N batches",
    )


class ModelSettings(TrainedSettings):
    """What is trained: kind of loss, network and, for the normalized autoencoders, chain and buffer."""

    by_epoch: ClassVar[bool] = True

    kind: Literal["ae", "nae", "nae_logcosh", "wnae"] = Field(
        description="ae, nae (E+ - E-), nae_logcosh (log cosh(E+ - E-) + alpha E+) or wnae (W2^2)"
    )
    scaling: Scaling = Field(
        default="dataset",
        description="coordinates of the energy: those of the dataset stage, or of the method's own, fitted on the "
        "training jets; see dataset.scaling. The box of the chain is in the same units",
    )
    network: NetworkSettings = NetworkSettings()
    chain: ChainSettings | None = Field(default=None, description="Langevin chain of the negatives; not for kind ae")
    replay: ReplaySettings | None = Field(default=None, description="replay buffer; not for kind ae")
    loss: LossSettings | None = Field(default=None, description="numbers in the loss; not for kind ae")
    validation: ValidationSettings | None = Field(default=None, description="validation W; not for kind ae")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: object) -> object:
        """Give the kinds with negatives their defaults, so that equal settings are equal when written out."""
        if isinstance(values, dict) and values.get("kind") in NORMALIZED:
            sections: dict[str, dict[str, object]] = {"chain": {}, "replay": {}, "loss": {}, "validation": {}}
            values = {**values, **{key: empty for key, empty in sections.items() if values.get(key) is None}}
        return values

    @model_validator(mode="after")
    def _sections(self) -> Self:
        if self.kind == "ae":
            given = [name for name in ("chain", "replay", "loss", "validation") if getattr(self, name) is not None]
            if given:
                raise ValueError(f"kind ae has no negatives and reads no {', '.join(given)}: remove it")
        if self.kind == "wnae" and self.loss is not None:
            if self.loss.train_temperature:
                raise ValueError("loss.train_temperature is for kinds nae and nae_logcosh: the wnae has no likelihood")
            if self.loss.negative_energy_square:
                raise ValueError("loss.negative_energy_square is for kinds nae and nae_logcosh: remove it")
        if self.kind != "wnae" and self.loss is not None and self.loss.transport != "exact":
            raise ValueError(f"loss.transport {self.loss.transport} is for kind wnae: W is no loss of kind {self.kind}")
        return self


class TrainingSettings(Schedule):
    """How a group of autoencoders is trained."""

    sampling: Literal["auto", "shuffle", "weighted"] = Field(
        default="auto",
        description="shuffle: every jet once an epoch, whatever its weight; weighted: with replacement, by the column "
        "weight; auto: shuffle where all weights are equal, else weighted. Jets of negative weight are drawn by its "
        "size and taken away from the batch (kind wnae; the others refuse them)",
    )
    snapshot_every: int | None = Field(
        default=25, ge=1, description="epochs between snapshots (the first and last always); null: those alone"
    )
    snapshot_epochs: tuple[int, ...] = Field(
        default=(2, 5, 10, 20), description="epochs with a snapshot besides those, for the fast beginning"
    )
    memory_mb: float = Field(
        default=8000.0, gt=0, description="scaled training jets beyond this (MB) are read from a file, batch by batch"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: a CUDA device where there is one")


class MethodSettings(ModelSettings):
    """One entry of `methods:` in the config: what is trained, and how."""

    training: TrainingSettings = TrainingSettings()
