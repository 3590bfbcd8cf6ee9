"""Settings of the dataset: split, scaling, and signal mixed in on purpose."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from oddjet.settings import Settings

Scaling = Literal["min_max", "standard", "power", "quantile"]
EIGHT_FEATURES = ("tau2", "tau3", "efp1", "c2", "axis_major", "axis_minor", "ptd", "softdrop_mass")


class Fractions(Settings):
    """Shares of the background events; they must add up to one."""

    train: float = Field(
        default=0.6, gt=0, lt=1, description="share of events that train the models and fit the scaler"
    )
    validation: float = Field(default=0.2, gt=0, lt=1, description="share of events that chooses epochs")
    test: float = Field(default=0.2, gt=0, lt=1, description="share of events that every AUC is computed on")

    @model_validator(mode="after")
    def _add_up_to_one(self) -> Fractions:
        total = self.train + self.validation + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            message = f"train + validation + test is {total:g}; the three fractions must add up to 1"
            raise ValueError(message)
        return self


class MinimumJets(Settings):
    """Smallest number of background jets with which each part is still useful."""

    train: int = Field(default=1000, ge=2, description="jets in the training part")
    validation: int = Field(default=300, ge=2, description="jets in the validation part")
    test: int = Field(default=300, ge=2, description="jets in the test part")


class DatasetSettings(Settings):
    """How background jets are split and how their features are scaled."""

    seed: int = Field(
        default=1, ge=0, lt=2**63, description="salt of the event hash; another value gives another split"
    )
    fractions: Fractions = Field(default=Fractions(), description="shares of the events (not of the jets)")
    minimum_jets: MinimumJets = Field(default=MinimumJets(), description="a smaller part is an error")
    sample_weights: Literal["cross_section", "equal"] = Field(
        default="cross_section",
        description="what several background samples count: by weight and cross section, or all the same (equal)",
    )
    features: tuple[str, ...] = Field(
        default=EIGHT_FEATURES, min_length=1, description="columns that the models see, in this order"
    )
    log_floors: dict[str, float] = Field(
        default_factory=lambda: {"softdrop_mass": 1.0},
        description="features that enter as ln(max(value, floor)), with their floor in the feature's unit; "
        "a jet without a groomed mass therefore sits at ln(1 GeV) = 0",
    )
    scaling: Scaling = Field(
        default="min_max",
        description="min_max: training minimum and maximum go to `range`; standard: mean 0, deviation 1; power: a "
        "Yeo-Johnson power of that; quantile: normal scores of the training jets' quantiles, going on beyond them",
    )
    range: tuple[float, float] = Field(default=(-3.0, 3.0), description="target range of min_max scaling")

    @model_validator(mode="after")
    def _features_are_consistent(self) -> DatasetSettings:
        doubled = sorted({name for name in self.features if self.features.count(name) > 1})
        if doubled:
            message = f"features names {doubled} more than once"
            raise ValueError(message)
        # softdrop_mass is in the default of log_floors: leaving it out of `features` alone is no mistake.
        unknown = sorted(set(self.log_floors) - set(self.features) - {"softdrop_mass"})
        if unknown:
            message = f"log_floors names {unknown}, not among features {list(self.features)}"
            raise ValueError(message)
        wrong = {name: floor for name, floor in self.log_floors.items() if not floor > 0}
        if wrong:
            message = f"log_floors must be finite and above 0, got {wrong}"
            raise ValueError(message)
        if not (all(map(math.isfinite, self.range)) and self.range[0] < self.range[1]):
            message = f"range must be finite and ascending, got {list(self.range)}"
            raise ValueError(message)
        return self


class ContaminationSettings(Settings):
    """The one place where signal enters a training; the analysis itself trains on background alone."""

    fractions: tuple[Annotated[float, Field(ge=0, le=0.5)], ...] = Field(
        default=(0.0, 0.001, 0.01, 0.1),
        min_length=1,
        description="shares of signal among the training jets, whose number stays the same; a training each",
    )
    methods: tuple[str, ...] = Field(
        default=(), description="methods of the config that are trained again; left empty: all its baselines"
    )
    signals: tuple[str, ...] = Field(
        default=(), description="signal samples whose jets are mixed in, all together; left empty: all signals"
    )
    signal_share: float = Field(
        default=0.5, gt=0, lt=1, description="share of the signal events that may train; the others are tested on"
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="salt of the hash by which signal events are divided")
    minimum_signal_jets: int = Field(
        default=50, ge=2, description="jets of a signal left to test on; fewer are an error"
    )

    @field_validator("fractions")
    @classmethod
    def _ascending(cls, fractions: tuple[float, ...]) -> tuple[float, ...]:
        if list(fractions) != sorted(set(fractions)):
            message = f"fractions must ascend, each once, got {list(fractions)}"
            raise ValueError(message)
        return fractions
