"""A method of the config: what is trained and how."""

from __future__ import annotations

from oddjet.detectors.autoencoder.settings import ModelSettings
from oddjet.training.settings import TrainingSettings


class MethodSettings(ModelSettings):
    """One entry of `methods:` in the config."""

    training: TrainingSettings = TrainingSettings()
