"""Small tables and trainings, as digests; started by test_training_bits.py in processes of its own."""

import argparse
import hashlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import torch

from oddjet.dataset.build import build_dataset
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.energy import measure_energy
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.flow import NeuralSplineFlow
from oddjet.detectors.trained import train as train_flow
from oddjet.detectors.vae.settings import VaeSchedule, VaeSettings, VaeTraining
from oddjet.detectors.vae.train import VaeRun, train_vae
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.images.store import JET_COLUMNS, ImageWriter
from oddjet.io.tables import read_table
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings
from oddjet.training.loop import fit

SEED = 3
REGULARISED = {"encoder_norm": 1e-3, "decoder_norm": 1e-3, "negative_energy_square": 0.01}
LOSSES = {
    "ae": {},
    "nae": {"loss": {"train_temperature": True}},
    "nae_logcosh": {"loss": REGULARISED},
    "wnae": {},
}
TRAINING = {"epochs": 3, "batch_size": 100, "ema_decay": 0.99, "weight_decay": 1e-4, "sampling": "weighted"}


def digest(*parts: object) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return total.hexdigest()[:16]


def jets(count: int, seed: int, spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    latent = rng.gamma(2.0, 0.5, (count, 3)) @ rng.normal(0, 0.5, (3, 8))
    return np.clip(latent + 0.3 * spread * rng.normal(size=(count, 8)), -3, 3).astype(np.float32)


def trained(kind: str, seeds: tuple[int, ...], threads: int) -> str:
    """Digest weights, history and AUC of one seed of a group."""
    validation = {} if kind == "ae" else {"validation": {"jets": 100}}
    settings = MethodSettings.model_validate({"kind": kind, "training": TRAINING, **LOSSES[kind], **validation})
    weights = torch.from_numpy(np.random.default_rng(5).uniform(0.5, 2, 1000).astype(np.float32))
    background = BackgroundJets(torch.from_numpy(jets(1000, 1)), torch.from_numpy(jets(300, 2)), weights)
    group = AutoencoderGroup(settings, seeds, background, threads=threads)
    state = fit(group, settings.training)
    index = seeds.index(SEED)
    history = [
        [value for name, value in row.items() if name != "seconds"] for row in state.history if row["seed"] == SEED
    ]
    group.evaluated.flat.copy_(torch.stack(state.chosen()))
    tested = torch.from_numpy(np.concatenate([jets(500, 3), jets(500, 4, 2.0)]))
    scores = measure_energy(group.evaluated, tested.expand(len(seeds), *tested.shape))[index].numpy()
    auc = compute_auc(*(SampleScores("jets", part) for part in (scores[:500], scores[500:])))
    return digest(group.network.flat[index].numpy(), state.chosen()[index].numpy(), scores, history, auc)


def flow() -> str:
    settings = NeuralSplineFlow.model_validate({"kind": "neural_spline_flow", "training": {"epochs": 2}})
    (network,) = train_flow(settings, [jets(500, 1)], jets(200, 2), [SEED])
    return digest(*(value.numpy() for value in network.state().values()))


def vae(folder: Path) -> str:
    rng = np.random.default_rng(1)
    for name, count in (("train", 64), ("validation", 32)):
        rows = np.ones(count, dtype=[(column.name, column.dtype) for column in JET_COLUMNS])
        rows["event"] = np.arange(count)
        pixels = np.concatenate([np.sort(rng.choice(64, 6, replace=False)) for _ in rows]).astype(np.uint16)
        values = rng.dirichlet(np.ones(6), count).ravel().astype(np.float32)
        with ImageWriter(folder / f"{name}.h5", 8, 0.64, {}) as writer:
            writer.append_images(rows, np.arange(0, 6 * count + 1, 6), pixels, values)
            writer.finish()
    training = VaeTraining(depths=(1,), betas=(1e-3,), train_jets=64, epochs=2)
    sizes = {"latent": 4, "hidden": 16, "validation_jets": 32}
    settings = VaeSettings(**sizes, training=VaeSchedule(batch_size=32), trainings={"wass1": training})
    train_vae(VaeRun("wass1", 1, 1e-3), settings, folder / "train.h5", folder / "validation.h5", folder)
    state = torch.load(folder / "model.pt", weights_only=True)
    tensors = [value.numpy() for value in state["parameters"].values()]
    return digest(*tensors)


def table(path: Path, folder: Path) -> str:
    """Digest the jets of a ROOT file with all their features, the dataset made of them and its scaler."""
    extract_features(path, folder / "jets.h5", FeatureSettings())
    parts = {name: folder / f"{name}.h5" for name in ("train", "validation", "test")}
    settings = DatasetSettings.model_validate({"minimum_jets": dict.fromkeys(parts, 10)})
    build_dataset([folder / "jets.h5"], parts, folder / "scaler.json", settings, {})
    tables = [read_table(part) for part in (folder / "jets.h5", *parts.values())]
    return digest(*tables, (folder / "scaler.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[SEED])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--torch", action="store_true", help="the flow and the image VAE too")
    parser.add_argument("--table", type=Path, help="a ROOT file: its table of features and a dataset of that too")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    found = {kind: trained(kind, tuple(given.seeds), given.threads) for kind in LOSSES}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        if given.table:
            found["table"] = table(given.table, Path(folder))
        if given.torch:
            found |= {"flow": flow(), "vae": vae(Path(folder))}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
