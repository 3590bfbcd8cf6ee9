"""Chains that follow a training: on an energy that is known they sample its density, and they move as often as told."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.own_chains import MOST_ROUNDS, OwnChains, follow_training, rounds_of
from oddjet.detectors.autoencoder.settings import ModelSettings, NetworkSettings, ReplaySettings
from oddjet.errors import DetectorError

D = 8
CENTRE = 0.5


def harmonic(centre: float = CENTRE, seeds: int = 2) -> Network:
    """A network that reconstructs every jet as one point: E = |x - centre|^2 / D."""
    network = Network(NetworkSettings(), D, seeds)
    network.flat.zero_()
    with torch.no_grad():
        network.biases[-1].fill_(centre)
    return network


def test_samples_have_the_variance_of_the_density() -> None:
    settings = ModelSettings.model_validate({"kind": "wnae", "replay": {"fresh_fraction": 0.0}})
    jets = torch.zeros(4000, D)
    ((epoch, samples),) = follow_training([(30, harmonic())], settings, (1, 2), jets, 1.0)
    assert epoch == 30
    assert samples.shape == (2, 4000, D)
    # x' = x - a (x - centre) + sigma z has the stationary variance sigma^2 / (1 - (1 - a)^2), near T D / 2 for small a.
    a = 0.5 * 0.22**2 / 0.063 * 2 / D
    expected = 0.22**2 / (1 - (1 - a) ** 2)
    assert expected == pytest.approx(0.063 * D / 2, rel=0.06)
    deviations = samples - CENTRE
    count = samples[0].numel()
    assert deviations.mean((1, 2)).tolist() == pytest.approx([0, 0], abs=6 * (expected / count) ** 0.5)
    assert deviations.square().mean((1, 2)).tolist() == pytest.approx(
        [expected] * 2, abs=6 * expected * (2 / count) ** 0.5
    )
    assert not torch.equal(samples[0], samples[1])


def test_fresh_starts_take_their_share() -> None:
    # Chains so short and stiff-free that a start stays where it was: with energy far away only noise moves it.
    settings = ModelSettings.model_validate(
        {"kind": "wnae", "replay": {"fresh_fraction": 1.0}, "chain": {"steps": 1, "step": 1e-9, "noise": 1e-6}}
    )
    ((_, samples),) = follow_training([(50, harmonic())], settings, (1,), torch.zeros(5000, D), 1.0)
    # All fresh at every round: N(0, 1) cut at 3, whose variance is 0.973 + 9 x 0.0027.
    assert float(samples.square().mean()) == pytest.approx(0.9973 - 0.0008, abs=0.03)
    assert float(samples.abs().max()) <= 3.0


def test_chains_move_as_often_as_the_training_drew_them(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    advance = OwnChains.advance

    def counted(self: OwnChains, network: Network, temperatures: Tensor, jets: Tensor, rounds: int) -> Tensor:
        drawn[-1] += rounds
        return advance(self, network, temperatures, jets, rounds)

    monkeypatch.setattr(OwnChains, "advance", counted)
    drawn.append(0)
    snapshots = [(epoch, harmonic(seeds=1)) for epoch in (1, 2, 12, 1000)]
    for _ in follow_training(snapshots, ModelSettings(kind="nae"), (1,), torch.zeros(3, D), 0.5):
        drawn.append(0)
    assert drawn[:-1] == [1, 1, 5, MOST_ROUNDS]


def test_rounds_count_whole_batches() -> None:
    replay = ReplaySettings(capacity=10_000)
    assert rounds_of(256, replay, 10_100) == pytest.approx(39 * 256 / 10_000)
    assert rounds_of(256, replay, 100) == pytest.approx(100 / 10_000)


def test_the_same_seeds_give_the_same_samples() -> None:
    runs = [
        [
            samples
            for _, samples in follow_training(
                [(3, harmonic())], ModelSettings(kind="nae"), (5, 6), torch.zeros(9, D), 1
            )
        ]
        for _ in range(2)
    ]
    assert torch.equal(runs[0][0], runs[1][0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "ae"}, "kind ae has no negative samples"),
        ({"kind": "nae", "loss": {"train_temperature": True}}, "temperature was trained"),
    ],
)
def test_what_cannot_be_followed_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(DetectorError, match=message):
        next(follow_training([(1, harmonic())], ModelSettings.model_validate(settings), (1, 2), torch.zeros(3, D), 1.0))
