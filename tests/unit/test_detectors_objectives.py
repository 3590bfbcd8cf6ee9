"""Losses of the methods and their gradients; which modules each drags in."""

from __future__ import annotations

import math

import ot
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from oddjet.dataset.scaling import FeatureScale, Scaler
from oddjet.detectors.autoencoder.detector import snapshot_parameters
from oddjet.detectors.autoencoder.energy import energy
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.negatives import transport
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.objectives.nae import NormalizedObjective
from oddjet.detectors.autoencoder.settings import ModelSettings, NetworkSettings
from oddjet.detectors.autoencoder.validation_jets import ValidationJets
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, load, snapshots, write
from oddjet.detectors.registry import kind_named
from oddjet.errors import DetectorError
from oddjet.provenance.digest import closure

CPU = torch.device("cpu")


def network(seeds: tuple[int, ...]) -> Network:
    net = Network(NetworkSettings(), 8, len(seeds), dtype=torch.float64)
    net.initialise(Generators(seeds, "initial weights", CPU))
    return net


def objective(kind: str, seeds: tuple[int, ...], **sections: dict):
    settings = ModelSettings.model_validate({"kind": kind, **sections})
    return kind_named(kind).build(settings, seeds, 8, CPU, torch.float64, 1)


def jets(n: int = 30, seeds: int = 2) -> Tensor:
    return torch.randn(seeds, n, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.mark.parametrize("kind", ["nae", "nae_logcosh"])
def test_normalized_losses_against_autograd_with_constant_negatives(kind: str) -> None:
    seeds, x = (1, 2), jets()
    net, twin = network(seeds), objective(kind, seeds)
    negatives = twin.sampler.draw(net, x, differentiable=False).samples
    positive, negative = energy(net, x).mean(-1), energy(net, negatives).mean(-1)
    gap = positive - negative
    expected = gap if kind == "nae" else torch.log(torch.cosh(gap)) + 0.001 * positive
    net.add_gradient(expected)
    gradient = net.gradient.clone()
    net.gradient.zero_()
    measured = objective(kind, seeds).add_gradient(net, x)
    assert torch.allclose(measured["loss"], expected, atol=1e-13)
    assert torch.allclose(measured["positive_energy"], positive, atol=1e-13)
    assert torch.allclose(measured["negative_energy"], negative, atol=1e-13)
    assert torch.allclose(net.gradient, gradient, atol=1e-13)
    assert gradient.abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["nae", "wnae"])
@pytest.mark.parametrize(
    "chain",
    [
        {"start": "cd"},
        {"start": "omi"},
        {"start": "omi", "latent": {"step": 0.05, "metropolis": True, "steps": 3}},
        {"metropolis": True},
    ],
)
def test_every_start_trains_and_does_not_depend_on_the_group(kind: str, chain: dict) -> None:
    x, results = jets(seeds=3), {}
    for group in ((1, 2, 3), (2,)):
        net, loss = network(group), objective(kind, group, chain=chain)
        for _ in range(2):
            net.gradient.zero_()
            measured = loss.add_gradient(net, x[[seed - 1 for seed in group]])
        assert torch.isfinite(measured["loss"]).all()
        width = 6 if chain.get("start") == "omi" else 8
        assert loss.sampler.buffer.points.shape[2] == width
        assert loss.sampler.buffer.filled == (0 if chain.get("start") == "cd" else 60)
        results[group] = net.gradient[group.index(2)].clone()
    assert results[(2,)].abs().max() > 1e-4
    assert torch.allclose(results[(1, 2, 3)], results[(2,)], rtol=1e-9, atol=1e-12)


def test_contrastive_divergence_starts_at_the_jets() -> None:
    net, x = network((1, 2)), jets()
    still = {"start": "cd", "noise": 1e-9, "step": 1e-12}
    assert torch.allclose(objective("nae", (1, 2), chain=still).sampler.draw(net, x, differentiable=False).samples, x)


def test_regularisers_against_autograd() -> None:
    numbers = {"negative_energy_square": 0.7, "encoder_norm": 0.01, "decoder_norm": 0.03}
    net, x = network((1, 2)), jets()
    negatives = objective("nae", (1, 2)).sampler.draw(net, x, differentiable=False).samples
    energies = energy(net, negatives)
    norms = [weight.square().sum((1, 2)) for weight in net.weights]
    expected = energy(net, x).mean(-1) - energies.mean(-1) + 0.7 * energies.square().mean(-1)
    expected = expected + 0.01 * sum(norms[:3]) + 0.03 * sum(norms[3:])
    net.add_gradient(expected)
    gradient = net.gradient.clone()
    net.gradient.zero_()
    measured = objective("nae", (1, 2), loss=numbers).add_gradient(net, x)
    assert torch.allclose(measured["loss"], expected, atol=1e-12)
    assert torch.allclose(net.gradient, gradient, atol=1e-12)
    plain, regular = network((1, 2)), network((1, 2))
    objective("wnae", (1, 2)).add_gradient(plain, x)
    objective("wnae", (1, 2), loss={"decoder_norm": 0.5}).add_gradient(regular, x)
    for layer in range(6):
        pulled = regular.weight_gradients[layer] - plain.weight_gradients[layer]
        assert torch.allclose(pulled, plain.weights[layer] * (layer >= 3), atol=1e-12)


def test_the_nae_measures_w_in_every_nth_batch() -> None:
    net, x = network((1, 2)), jets()
    rare, always = (objective("nae", (1, 2), validation={"monitor_every": every}) for every in (3, 1))
    distances = [[loss.add_gradient(net, x)["wasserstein"] for _ in range(5)] for loss in (rare, always)]
    for index, measured in enumerate((0, 0, 0, 3, 3)):
        assert torch.equal(distances[0][index], distances[1][measured])


def test_temperature_follows_the_likelihood() -> None:
    net, x = network((1, 2)), 10 * jets()
    loss = objective("nae", (1, 2), loss={"train_temperature": True})
    measured = loss.add_gradient(net, x)
    # Jets far above the model's own energies: the likelihood asks for a higher temperature, by a hundredth at most.
    assert (measured["positive_energy"] > measured["negative_energy"] + 1).all()
    assert loss.sampler.temperatures.tolist() == pytest.approx([0.063 * math.exp(0.01)] * 2)
    assert objective("nae", (1,)).sampler.temperatures.tolist() == [0.063]
    with pytest.raises(ValidationError, match="the wnae has no likelihood"):
        objective("wnae", (1,), loss={"train_temperature": True})


@pytest.mark.parametrize("power", [1, 2])
def test_transport_gradient_equals_pots(power: int) -> None:
    x = jets().requires_grad_()
    y = jets().flip(0) + 0.3
    uniform = torch.full((30,), 1 / 30, dtype=torch.float64)
    metric = "sqeuclidean" if power == 2 else "euclidean"
    theirs = torch.stack([ot.emd2(uniform, uniform, ot.dist(x[s], y[s], metric=metric)) for s in range(2)])
    theirs.sum().backward()
    values, gradients = transport(x.detach(), y, power=power)
    assert torch.allclose(values, theirs, rtol=1e-6)
    assert x.grad is not None
    assert torch.allclose(gradients, x.grad, atol=1e-5)
    same, zero = transport(y, y, power=power)
    assert same.abs().max() < 1e-12
    assert zero.abs().max() < 1e-12


def test_log_cosh_stays_finite_where_cosh_overflows() -> None:
    loss, slopes = NormalizedObjective._loss(
        objective("nae_logcosh", (1,)), torch.tensor([1e5, 0.0]), torch.tensor([0.0, 1e5])
    )
    assert torch.allclose(loss, torch.tensor([1e5 + 100.0, 1e5]) - 0.6931472, rtol=1e-6)
    assert torch.allclose(slopes, torch.tensor([[1.001, -1.0], [-0.999, 1.0]]))


def test_autoencoder_minimises_the_mean_energy() -> None:
    net, x = network((1, 2)), jets()
    net.add_gradient(energy(net, x).mean(-1))
    expected = net.gradient.clone()
    net.gradient.zero_()
    measured = objective("ae", (1, 2)).add_gradient(net, x)
    assert torch.allclose(net.gradient, expected, atol=1e-14)
    assert torch.equal(measured["loss"], measured["positive_energy"])


@pytest.mark.parametrize("kind", ["ae", "nae", "nae_logcosh", "wnae"])
def test_a_seed_has_the_same_numbers_alone_and_in_a_group(kind: str) -> None:
    x, results = jets(seeds=3), {}
    for group in ((1, 2, 3), (2,)):
        net, loss = network(group), objective(kind, group)
        batch = x[[seed - 1 for seed in group]]
        for _ in range(3):
            net.gradient.zero_()
            loss.add_gradient(net, batch)
        results[group] = (net.gradient[group.index(2)], loss.validate(net, ValidationJets(x[0])))
    assert torch.allclose(results[(1, 2, 3)][0], results[(2,)][0], rtol=1e-10, atol=1e-13)
    for name, value in results[(2,)][1].items():
        assert torch.allclose(results[(1, 2, 3)][1][name][1], value[0], rtol=1e-10)


def test_validation_leaves_the_training_stream_and_the_buffer_alone() -> None:
    net, loss = network((1, 2)), objective("wnae", (1, 2))
    loss.add_gradient(net, jets())
    before = loss.state_dict()["sampler"]
    loss.validate(net, ValidationJets(jets()[0]))
    after = loss.state_dict()["sampler"]
    for part in ("buffer", "noise", "replay"):
        for name, value in before[part].items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(after[part][name]))


def test_the_code_of_the_plain_autoencoder_holds_no_chain() -> None:
    loop = ["oddjet.detectors.autoencoder.train", kind_named("ae").module]
    parts = {name.rsplit(".", 1)[1] for name in closure(loop) if "." in name}
    assert {"ae", "loop", "network"} <= parts
    assert not parts & {"chains", "negatives", "augmenting_paths", "nae", "wnae"}
    assert {"chains", "negatives", "augmenting_paths"} <= {
        name.rsplit(".", 1)[-1] for name in closure([kind_named("wnae").module])
    }


def test_model_files_keep_numbers_and_refuse_others(tmp_path) -> None:
    net = Network(NetworkSettings(), 8, 2)
    net.initialise(Generators((1, 2), "initial weights", CPU))
    scaler = Scaler(tuple(FeatureScale(name, "none", None, 0.0, 1.0, 0.5, 0.3) for name in "abcdefgh"))
    card = Card("ae", kind_named("ae").settings.model_validate({"kind": "ae"}), scaler)
    write(tmp_path / "model.pt", content_of(net.parameters(), (1, 2), (7, 9), card))
    model = load(tmp_path / "model.pt")
    x = jets(50, 1)[0]
    scores = model.score_scaled(x.numpy(), chunk=7)
    assert scores.dtype == "float64"
    assert scores.shape == (50, 2)
    exact = Network(net.settings, 8, 2, dtype=torch.float64)
    exact.flat.copy_(net.flat.double())
    assert torch.allclose(torch.from_numpy(scores), energy(exact, x.expand(2, 50, 8)).T.detach(), atol=1e-14)
    assert (model.seeds, model.epochs) == ((1, 2), (7, 9))
    parameters = snapshot_parameters(net, [(1, net.flat), (5, 2 * net.flat)])
    write(tmp_path / "snapshots.pt", content_of(parameters, (1, 2), (1, 5), card))
    kept = list(snapshots(tmp_path / "snapshots.pt"))
    assert [epoch for epoch, _ in kept] == [1, 5]
    assert (kept[0][1].score_scaled(x.numpy()) == scores).all()
    assert not (kept[1][1].score_scaled(x.numpy()) == scores).any()
    with pytest.raises(DetectorError, match=r"shape \(n, 8\)"):
        model.score_scaled(x.numpy()[:, :5])
    refuse(tmp_path, card, net)


def refuse(folder, card: Card, net: Network) -> None:
    with pytest.raises(DetectorError, match="no such model file"):
        load(folder / "none.pt")
    (folder / "text.pt").write_text("not a model")
    whole = (folder / "model.pt").read_bytes()
    (folder / "cut.pt").write_bytes(whole[: len(whole) // 2])
    torch.save({"anything": 1}, folder / "other.pt")
    content = content_of(net.parameters(), (1, 2), (1, 1), card)
    torch.save({**content, "format": 99}, folder / "new.pt")
    torch.save({**content, "parameters": {}}, folder / "empty.pt")
    for name, words in {
        "text": "damaged",
        "cut": "damaged",
        "other": "not a model file of oddjet",
        "new": "format 99",
        "empty": "do not fit",
    }.items():
        with pytest.raises(DetectorError, match=words):
            load(folder / f"{name}.pt")
