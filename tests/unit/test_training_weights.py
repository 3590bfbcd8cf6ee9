"""Trainings on backgrounds of several samples: sorted tables, weights that differ, weights of both signs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from oddjet.detectors.autoencoder.batches import BatchPlan
from oddjet.detectors.autoencoder.energy import measure_energy
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.autoencoder.validation_jets import ValidationJets, signed_mean
from oddjet.errors import TrainingError, TransportError
from oddjet.training.loop import fit
from oddjet.training.state import TrainingState

CPU = torch.device("cpu")
D = 3
W = "wasserstein"


def method(kind: str, **training: object) -> MethodSettings:
    settings = {"kind": kind, "network": {"hidden": [10], "latent": 2}, "training": {"batch_size": 128, **training}}
    if kind != "ae":
        settings["validation"] = {"jets": 100, "draws": 4}
    return MethodSettings.model_validate(settings)


def two_samples(n: int, seed: int) -> Tensor:
    """Make a table of n jets about -1.5 and then as many about 1.5 in every feature."""
    jets = 0.3 * torch.randn(2 * n, D, generator=torch.Generator().manual_seed(seed))
    jets[:n] -= 1.5
    jets[n:] += 1.5
    return jets


def trained(
    settings: MethodSettings, jets: Tensor, weights: Tensor | None, others: Tensor, other_weights: Tensor | None
) -> TrainingState:
    group = AutoencoderGroup(settings, (1, 2), BackgroundJets(jets, others, weights, other_weights))
    return fit(group, settings.training)


def generators(*seeds: int) -> Generators:
    """Make the generators that a group draws its batches with."""
    return Generators(seeds, "batches", CPU)


def last_row(state: TrainingState) -> dict[str, float]:
    return state.history[-2]


def test_validation_sees_both_samples_of_a_sorted_table() -> None:
    jets = two_samples(8000, 1)
    laws = ValidationJets(jets).samples(500, 4)
    shares = [float((law.positive[:, 0] > 0).mean()) for law in laws]
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * 0.5 / 2000**0.5)
    # Negatives of both samples against jets of one alone are at least 0.5 x 9 x 3 = 13.5 away.
    settings, others = method("wnae", epochs=12, learning_rate=5e-3), two_samples(300, 3)
    sorted_rows = trained(settings, two_samples(1000, 2), None, others, None)
    shuffled = trained(
        settings,
        two_samples(1000, 2),
        None,
        others[torch.randperm(600, generator=torch.Generator().manual_seed(4))],
        None,
    )
    for row, other in zip(sorted_rows.history[-2:], shuffled.history[-2:], strict=True):
        values, errors = zip(
            *((one[f"{W}_validation"], one[f"{W}_error_validation"]) for one in (row, other)), strict=True
        )
        assert max(values) < 6
        # Draws of a table in another order are other draws: they agree within their errors.
        assert values[0] == pytest.approx(values[1], abs=4 * math.hypot(*errors))
    assert min(sorted_rows.best_epochs) > 4


def test_the_validation_error_of_an_autoencoder_is_a_weighted_mean() -> None:
    jets, others = two_samples(300, 1), two_samples(200, 2)
    weights = torch.cat([torch.ones(200), torch.full((200,), 0.02)])
    state = trained(method("ae", epochs=2), jets, None, others, weights)
    energies = measure_energy(state.trainable.evaluated, others.expand(2, *others.shape)).double()
    expected = (energies * weights).sum(1) / weights.sum()
    assert last_row(state)["positive_energy_validation"] == pytest.approx(float(expected[0]), rel=1e-6)
    assert last_row(state)["positive_energy_validation"] != pytest.approx(float(energies[0].mean()), rel=1e-3)


def test_batches_follow_weights_that_differ_and_hold_every_jet_where_they_do_not() -> None:
    plain = generators(1)
    equal, none, uneven = (
        BatchPlan(method("ae"), 1024, weights).draw(generators(1)).indices
        for weights in (torch.full((1024,), 0.3), None, torch.cat([torch.ones(512), torch.full((512,), 0.02)]))
    )
    assert torch.equal(equal, none)
    assert torch.equal(equal, plain.permutations(1024).view(1, 8, 128))
    assert float((uneven >= 512).double().mean()) == pytest.approx(1 / 51, abs=5 * (1 / 51 / 1024) ** 0.5)
    ignored = BatchPlan(method("ae", sampling="shuffle"), 1024, torch.arange(1024) + 1.0)
    assert len(set(ignored.draw(plain).indices.flatten().tolist())) == 1024


def test_training_and_validation_of_samples_of_very_different_weight_follow_the_same_law() -> None:
    jets, others = two_samples(2000, 1), two_samples(600, 2)
    weights, other_weights = (torch.cat([torch.ones(n), torch.full((n,), 0.02)]) for n in (2000, 600))
    settings = method("wnae", epochs=12, learning_rate=5e-3)
    weighted = trained(settings, jets, weights, others, other_weights)
    # The same law without weights: 50 jets of the first sample for each of the second.
    counts = {n: torch.cat([torch.arange(n), torch.arange(n, n + n // 50)]) for n in (2000, 600)}
    plain = trained(settings, jets[counts[2000]], None, others[counts[600]], None)
    for row, other in zip(weighted.history[-2:], plain.history[-2:], strict=True):
        # Validation that counted jets would be half of 9 x 3 away from what the batches are drawn from.
        assert row[f"{W}_validation"] < 6
        errors = [one[f"{W}_error_validation"] for one in (row, other)]
        # Two trainings on other jets: beside the errors of W the trainings differ by a fourth.
        tolerance = 4 * math.hypot(*errors) + 0.25 * other[f"{W}_validation"]
        assert row[f"{W}_validation"] == pytest.approx(other[f"{W}_validation"], abs=tolerance)
    assert min(weighted.best_epochs) > 4


def signed_weights(n: int) -> tuple[Tensor, Tensor]:
    """Make n jets: half of them a law, a fourth another one, and a fourth that takes it away again."""
    generator = torch.Generator().manual_seed(n)
    jets = 0.5 * torch.randn(n, D, generator=generator)
    jets[: n // 2, 0] += 1.0
    jets[n // 2 :, 1] -= 1.5
    return jets, torch.cat([torch.ones(n // 4 * 3), -torch.ones(n // 4)])


def test_jets_of_negative_weight_are_taken_away_in_every_batch() -> None:
    _, weights = signed_weights(1024)
    batches = BatchPlan(method("wnae"), 1024, weights).draw(generators(1, 2))
    assert batches.indices.shape == (2, 8, 128)
    assert batches.negative == (32,) * 8
    assert bool((weights[batches.indices[..., 96:]] < 0).all())
    assert bool((weights[batches.indices[..., :96]] > 0).all())
    # One jet in 300 is less than one a batch, and is not lost.
    rare = torch.ones(1024)
    rare[:3] = -1.0
    assert sum(BatchPlan(method("wnae"), 1024, rare).draw(generators(1)).negative) == 3
    energies = torch.tensor([[1.0, 2.0, 4.0, 3.0]])
    assert float(signed_mean(energies, 1)) == 2.0
    assert float(signed_mean(energies)) == 2.5


def test_what_is_learnt_from_weights_of_both_signs_is_the_law_that_is_left() -> None:
    jets, weights = signed_weights(4096)
    others, other_weights = signed_weights(2048)
    settings = method("wnae", epochs=20, learning_rate=3e-3)
    runs = {
        "signed": trained(settings, jets, weights, others, other_weights),
        "plain": trained(settings, jets[:2048], None, others[:1024], None),
        "all": trained(settings, jets, None, others, None),
    }
    # Energies of the law that is left and of what was taken away, by networks that saw one and the other.
    tests = [sample.expand(2, *sample.shape) for sample in (others[:1024], others[1024:])]
    left, away = ({n: measure_energy(s.trainable.evaluated, t).mean(1) for n, s in runs.items()} for t in tests)
    # 12 seeds: ratios 6.6 and 6.0, each of a spread by a factor 1.2, so 2.4 at five of them; left 1.01 +- 0.06 and
    # W 0.96 +- 0.04 floors.
    assert bool((away["plain"] > 2 * away["all"]).all())
    assert bool((away["signed"] > 1.5 * away["all"]).all())
    assert left["signed"].tolist() == pytest.approx(left["plain"].tolist(), rel=0.6)
    row = last_row(runs["signed"])
    assert row["wasserstein_validation"] < 2 * row["wasserstein_floor_validation"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "ae"}, "kind ae cannot use it: .* without a lower bound; take kind wnae"),
        ({"kind": "nae"}, "kind nae cannot use it"),
        ({"kind": "nae_logcosh"}, "kind nae_logcosh cannot use it"),
        ({"kind": "wnae", "training": {"sampling": "shuffle"}}, "sampling shuffle ignores weights; set it to auto"),
        ({"kind": "wnae", "chain": {"start": "cd"}}, "chain.start cd starts at the jets"),
        ({"kind": "wnae", "loss": {"transport": "sinkhorn"}}, "loss.transport sinkhorn"),
        ({"kind": "wnae", "training": {"batch_size": 2}}, "batch_size 2 leaves too few"),
    ],
)
def test_what_cannot_carry_a_sign_is_refused_before_any_work(settings: dict, words: str) -> None:
    with pytest.raises(TrainingError, match=f"0.25 of the training jets' weight is negative, and .*{words}"):
        BatchPlan(MethodSettings.model_validate(settings), 1024, signed_weights(1024)[1])


def test_weights_of_no_law_are_refused() -> None:
    for bad, words in (
        (torch.zeros(9), "add up to 0"),
        (-torch.ones(9), "add up to -9"),
        (torch.full((9,), math.nan), "nan"),
    ):
        with pytest.raises(TrainingError, match=words):
            BatchPlan(method("ae"), 9, bad)
        with pytest.raises(TransportError, match=words):
            ValidationJets(torch.zeros(9, D), bad)
