"""Rows of the tables (CSV) of the image VAE and of the supervised network beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VaeAucRow:
    """One AUC of an image VAE, or (training metric `supervised`) of the supervised network.

    `chosen` is 1 for the beta with the lowest validation loss on background, mean over seeds; 0 for others. The signal
    `labelled` is what a supervised network was trained on, `none` for the VAE. `late_fall` and `of_mean_image` (the
    validation loss over that of the mean image; NaN for a supervised network) are those of
    `oddjet.studies.vae_convergence`.
    """

    training_metric: str
    depth: int
    beta: float
    seed: int
    chosen: int
    validation_loss: float
    late_fall: float
    of_mean_image: float
    labelled: str
    signal: str
    anomaly_metric: str
    auc: float
    auc_error: float
    n_signal: int
    n_background: int


@dataclass(frozen=True)
class LatentRow:
    """Pearson correlation over pairs of background jets: a distance in the network against one between the images.

    `layer` is `images` (mean square error between the images), `block-1` and so on, or `latent`.
    """

    training_metric: str
    depth: int
    beta: float
    chosen: int
    layer: str
    image_metric: str
    correlation: float
    pairs: int
