"""Model files: parameters of a group of seeds, with the scaler and the record of what made them.

Plain dictionaries of tensors, numbers and strings: they load with `weights_only=True`, nothing in them is executed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.detectors.autoencoder.energy import energy
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import NetworkSettings
from oddjet.errors import DetectorError

FORMAT = 1


@dataclass(frozen=True)
class ModelFile:
    """A trained group of seeds.

    Attributes
    ----------
    seeds
        Seeds, in the order of the scores' columns.
    epochs
        Epoch of each seed's parameters.
    metadata
        `method`, `settings`, `scaler`, `features`, `selection`, `stopped`, `provenance`.
    network
        The autoencoders, in float64.
    """

    seeds: tuple[int, ...]
    epochs: tuple[int, ...]
    metadata: dict[str, Any]
    network: Network

    def score(self, scaled: NDArray[np.floating[Any]], chunk: int = 65_536) -> NDArray[np.float64]:
        """Energy of jets, the anomaly score.

        Parameters
        ----------
        scaled
            Scaled features, shape (N, D).
        chunk
            Jets scored at a time.

        Returns
        -------
        float64 array of shape (N, S): a column a seed.

        Raises
        ------
        DetectorError
            The jets have another number of features than the network.
        """
        n_features = self.network.widths[0]
        if scaled.ndim != 2 or scaled.shape[1] != n_features:
            raise DetectorError(f"score: the model takes jets of shape (N, {n_features}), not {scaled.shape}")
        scores = np.empty((len(scaled), len(self.seeds)))
        with torch.no_grad():
            for start in range(0, len(scaled), chunk):
                part = torch.from_numpy(np.array(scaled[start : start + chunk], dtype=np.float64))
                scores[start : start + chunk] = energy(self.network, part.expand(len(self.seeds), *part.shape)).T
        return scores


def model_content(
    network: Network, flat: Tensor, seeds: Sequence[int], epochs: Sequence[int], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """Lay out a model: what `torch.save` gets for `model.pt`."""
    return {
        "format": FORMAT,
        "parameters": network.parameters(flat),
        "seeds": list(seeds),
        "epochs": list(epochs),
        "metadata": json.dumps(metadata),
    }


def snapshots_content(
    network: Network, snapshots: Sequence[tuple[int, Tensor]], seeds: Sequence[int], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """Lay out snapshots, pairs of an epoch and parameters (S, P): what `torch.save` gets for `snapshots.pt`."""
    named = [network.parameters(flat) for _, flat in snapshots]
    return {
        "format": FORMAT,
        "parameters": {name: torch.stack([parameters[name] for parameters in named]) for name in named[0]},
        "seeds": list(seeds),
        "epochs": [epoch for epoch, _ in snapshots],
        "metadata": json.dumps(metadata),
    }


def load_model(path: Path) -> ModelFile:
    """Read `model.pt`; raises `DetectorError`."""
    content = read_content(path)
    seeds, epochs = tuple(content["seeds"]), tuple(content["epochs"])
    return _model(path, content["parameters"], seeds, epochs, content["metadata"])


def load_snapshots(path: Path) -> Iterator[tuple[int, ModelFile]]:
    """Read `snapshots.pt`: pairs of an epoch and the models of all seeds then; raises `DetectorError`."""
    content = read_content(path)
    seeds, metadata, epochs = tuple(content["seeds"]), content["metadata"], content["epochs"]
    if any(tensor.ndim == 0 or len(tensor) != len(epochs) for tensor in content["parameters"].values()):
        raise DetectorError(f"{path}: not a file of {len(epochs)} snapshots; train the method again")
    for index, epoch in enumerate(epochs):
        parameters = {name: tensor[index] for name, tensor in content["parameters"].items()}
        yield epoch, _model(path, parameters, seeds, (epoch,) * len(seeds), metadata)


def read_content(path: Path) -> dict[str, Any]:
    """Read a model or snapshot file.

    Returns
    -------
    dict
        `format`, `parameters` (tensors by name), `seeds`, `epochs`, `metadata` (read from its JSON).

    Raises
    ------
    DetectorError
        The file is missing, empty, damaged, of another kind or of another format.
    """
    if not path.is_file():
        raise DetectorError(f"{path}: no such model file; train the method first (rule train_model)")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises EOFError, UnpicklingError, KeyError, RuntimeError ... by kind of damage
        raise DetectorError(f"{path}: not a model file, or damaged ({_one_line(error)}); train the method again") from (
            error
        )
    if not isinstance(content, dict) or not {"format", "parameters", "seeds", "epochs", "metadata"} <= set(content):
        raise DetectorError(f"{path}: not a model file of oddjet; give one that train_model wrote")
    if content["format"] != FORMAT:
        raise DetectorError(
            f"{path}: model format {content['format']!r}, this version reads {FORMAT}; train the method again"
        )
    try:
        metadata = json.loads(content["metadata"])
    except (TypeError, ValueError) as error:
        raise DetectorError(f"{path}: its metadata are damaged ({_one_line(error)}); train the method again") from error
    fits = (
        isinstance(metadata, dict)
        and isinstance(metadata.get("settings"), dict)
        and isinstance(content["parameters"], dict)
        and all(isinstance(tensor, Tensor) for tensor in content["parameters"].values())
        and all(
            isinstance(content[name], list) and all(isinstance(number, int) for number in content[name])
            for name in ("seeds", "epochs")
        )
    )
    if not fits:
        raise DetectorError(f"{path}: its seeds, epochs, parameters or metadata are damaged; train the method again")
    return {**content, "metadata": metadata}


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _model(
    path: Path,
    parameters: Mapping[str, Tensor],
    seeds: tuple[int, ...],
    epochs: tuple[int, ...],
    metadata: dict[str, Any],
) -> ModelFile:
    try:
        settings = NetworkSettings.model_validate(metadata["settings"]["network"])
        network = Network(settings, len(metadata["features"]), len(seeds), dtype=torch.float64)
        network.load_parameters(parameters)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DetectorError(
            f"{path}: the parameters do not fit the settings in the file ({_one_line(error)}); train the method again"
        ) from error
    return ModelFile(seeds, epochs, metadata, network)
