"""What a normalized autoencoder is judged by on validation jets: E+, E-, and W with its error and its floor."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oddjet.detectors.autoencoder.energy import measure_energy
from oddjet.detectors.autoencoder.negatives import transport_to_law
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.own_chains import MOST_ROUNDS, OwnChains
from oddjet.detectors.autoencoder.settings import ModelSettings, ValidationSettings
from oddjet.detectors.autoencoder.validation_jets import ValidationJets
from oddjet.transport.assignment import distance_of_samples
from oddjet.transport.laws import Law

LOGGER = logging.getLogger("oddjet")


class Validation:
    """Judge of the networks that are kept, with chains of its own.

    Parameters
    ----------
    settings
        Chain, buffer, validation.
    seeds
        Seeds of the group.
    threads
        Threads of the assignment solver.
    power
        Of W: 2 for W2^2, 1 for W1.
    """

    def __init__(
        self,
        settings: ModelSettings,
        seeds: Sequence[int],
        device: torch.device,
        dtype: torch.dtype,
        threads: int = 1,
        power: int = 2,
    ) -> None:
        self.settings = settings.validation or ValidationSettings()
        self.chains = OwnChains(settings, seeds, device, dtype, "validation chains")
        self.threads = threads
        self.power = power
        self._floor: float | None = None

    def measure(
        self, network: Network, temperatures: Tensor, rows: ValidationJets, epochs: int = 1
    ) -> dict[str, Tensor]:
        """Move the chains on, by the rounds of the epochs that have passed, and measure.

        Returns
        -------
        positive_energy (all jets), negative_energy (all chains), wasserstein, its standard error over the draws and its
        floor, shape (S,) each. The floor is W between the draws of jets themselves: what a perfect model has.
        """
        seeds = len(network.flat)
        laws = rows.samples(self.settings.jets, self.settings.draws)
        targets = stack_laws(laws).to(rows.jets)
        starts = torch.cat([torch.as_tensor(law.positive[: law.net]) for law in laws]).to(rows.jets)
        rounds = min(MOST_ROUNDS, self.settings.rounds * epochs)
        negatives = self.chains.advance(network, temperatures, starts, rounds)
        distances = distances_to_laws(negatives, targets, len(laws[0].negative), self.threads, self.power)
        means, errors = (
            distances.new_tensor(numbers) for numbers in zip(*map(mean_and_error, distances.T.tolist()), strict=True)
        )
        return {
            "positive_energy": rows.mean(measure_energy(network, rows.jets.expand(seeds, *rows.jets.shape))),
            "negative_energy": measure_energy(network, negatives).double().mean(-1).to(negatives.dtype),
            "wasserstein": means,
            "wasserstein_error": errors,
            "wasserstein_floor": torch.full_like(distances[0], self.floor(laws)),
        }

    def floor(self, laws: list[Law]) -> float:
        """Mean W between the draws of validation jets; NaN for a single one."""
        if self._floor is None:
            self._floor = math.nan
            if len(laws) > 1:
                measured = distance_of_samples(laws, self.power)
                self._floor = float(np.mean(measured))
                LOGGER.info(
                    "validation W: %d draws of %d jets and as many negatives; two draws of jets are %.4g apart (floor)",
                    len(laws),
                    laws[0].net,
                    self._floor,
                )
        return self._floor

    def state_dict(self) -> dict[str, Any]:
        """Chains."""
        return {"chains": self.chains.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.chains.load_state_dict(state["chains"])


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean of draws and its standard error; sums are exact, so that they do not depend on how many seeds there are."""
    count = len(values)
    if not all(map(math.isfinite, values)):
        return math.nan, math.nan
    mean = math.fsum(values) / count
    if count == 1:
        return mean, math.nan
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1) / count)


def stack_laws(laws: Sequence[Law]) -> Tensor:
    """Put samples of one size side by side, shape (K, p + q, D), the jets that are taken away last."""
    return torch.from_numpy(np.stack([np.concatenate([law.positive, law.negative]) for law in laws]))


def distances_to_laws(samples: Tensor, targets: Tensor, negative: int = 0, threads: int = 1, power: int = 2) -> Tensor:
    """W_p^p between the k-th part of the samples and the k-th target, in double precision.

    Parameters
    ----------
    samples
        Shape (S, K m, D), m net jets of a target.
    targets
        From `stack_laws`, shape (K, p + q, D).

    Returns
    -------
    Shape (K, S).
    """
    parts = samples.chunk(len(targets), dim=1)
    seeds = len(samples)
    return torch.stack(
        [
            transport_to_law(part, target.expand(seeds, *target.shape), negative, threads, power)[0].double()
            for part, target in zip(parts, targets, strict=True)
        ]
    )
