"""Image VAEs as a method of the semivisible-jet analysis: one a seed; the score is a distance from a reconstruction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TrainingError
from oddjet.images.store import ImageLibrary
from oddjet.training.vae import TrainedVae, load_vae
from oddjet.training.vae_scores import score_images

# So many dense images and reconstructions are in memory at once.
JETS_AT_A_TIME = 5000


class VaeScorer:
    """Scores jets with a VAE a seed; of several betas, the lowest validation loss on background chooses.

    Parameters
    ----------
    library : ImageLibrary
        Images of all jets that will be asked for.
    models : sequence of Path
        Of every seed one a beta.
    anomaly : str
        Of `oddjet.training.vae_scores.ANOMALY_METRICS`.
    seeds : sequence of int
        One column of scores each.
    threads : int
        For transport distances.

    Attributes
    ----------
    vaes : list of TrainedVae
        The chosen ones, in the order of the seeds.

    Raises
    ------
    TrainingError
        A seed has no model, or a model was trained on images of another size.
    """

    def __init__(
        self, library: ImageLibrary, models: Sequence[Path], anomaly: str, seeds: Sequence[int], threads: int
    ) -> None:
        self._library, self._anomaly, self._threads = library, anomaly, threads
        trained: dict[int, list[TrainedVae]] = defaultdict(list)
        for path in models:
            vae = load_vae(path)
            if (vae.network.shape.pixels, vae.side) != (library.pixels, library.side):
                raise TrainingError(
                    f"{path}: trained on images of {vae.network.shape.pixels} pixels on {vae.side:g}, the images have "
                    f"{library.pixels} on {library.side:g}; train it on images of the same jets"
                )
            trained[vae.settings.seed].append(vae)
        missing = [seed for seed in seeds if seed not in trained]
        if missing:
            raise TrainingError(f"seed {missing[0]}: no model; the models are of seeds {sorted(trained)}")
        self.vaes = [min(trained[seed], key=lambda vae: vae.validation_loss) for seed in seeds]

    def __call__(self, jets: NDArray[np.void]) -> NDArray[np.float64]:
        """Score jets: float64 array of shape (n, seeds), larger is less like the background."""
        scores = np.empty((len(jets), len(self.vaes)))
        for start in range(0, len(jets), JETS_AT_A_TIME):
            part = slice(start, start + JETS_AT_A_TIME)
            batch = self._library.of(jets[part])
            for column, vae in enumerate(self.vaes):
                scores[part, column] = score_images(vae, batch, (self._anomaly,), self._threads)[self._anomaly]
        return scores
