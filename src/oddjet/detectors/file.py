"""The file of a detector, of whatever kind: parameters of a group of seeds, and the card.

Plain dictionaries of tensors, numbers and strings: they load with `weights_only=True`, nothing in them is executed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.settings import ModelSettings
from oddjet.detectors.cards import Card
from oddjet.detectors.opening import Given, Method, Opened, one_method
from oddjet.detectors.protocol import ScaledDetector
from oddjet.errors import DetectorError, OddjetError
from oddjet.io.failures import one_line
from oddjet.io.tensors import read_tensors, write_tensors

FORMAT = 1


def content_of(
    parameters: Mapping[str, Tensor], seeds: Sequence[int], epochs: Sequence[int], card: Card
) -> dict[str, Any]:
    """Lay out a detector: what `write` gets.

    Of a file of snapshots the parameters have a first axis more, one place for each of `epochs`.
    """
    return {
        "format": FORMAT,
        "parameters": dict(parameters),
        "seeds": list(seeds),
        "epochs": list(epochs),
        "metadata": json.dumps(card.to_dict()),
    }


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write what `content_of` gave, whole or not at all; raises `DiskError`."""
    write_tensors(path, content)


def load(path: Path) -> ScaledDetector:
    """Read `model.pt` of any kind; raise `DetectorError`."""
    content = read_content(path)
    card = _card(path, content)
    return _restored(path, card, tuple(content["seeds"]), tuple(content["epochs"]), content["parameters"])


def open_detector(given: Given) -> Opened:
    """Open the detector of one `model.pt`; raise `DetectorError`, also if it is another method's or has other seeds."""
    if len(given.models) != 1:
        raise DetectorError(f"{given.method}: {len(given.models)} files after --models; give the model.pt of one group")
    # In another number of threads a sum has other last bits.
    torch.set_num_threads(1)
    model = load(given.models[0])
    if model.name != given.method or (given.seeds and model.seeds != given.seeds):
        raise DetectorError(
            f"{given.models[0]}: a model of {model.name}, seeds {list(model.seeds)}; asked for are {given.method}, "
            f"seeds {list(given.seeds)}"
        )
    return one_method(Method(model.name, model.seeds, model.epochs), model.score, None, *model.card.modules)


def snapshots(path: Path) -> Iterator[tuple[int, ScaledDetector]]:
    """Read `snapshots.pt` of any kind: pairs of an epoch and the detector then; raise `DetectorError`.

    What was fitted in one pass has one snapshot, of epoch 1.
    """
    content = read_content(path)
    card = _card(path, content)
    if not card.settings.by_epoch:
        yield 1, load(path)
        return
    seeds, epochs, parameters = tuple(content["seeds"]), content["epochs"], content["parameters"]
    if any(tensor.ndim == 0 or len(tensor) != len(epochs) for tensor in parameters.values()):
        raise DetectorError(f"{path}: not a file of {len(epochs)} snapshots; train the method again")
    for index, epoch in enumerate(epochs):
        then = {name: tensor[index] for name, tensor in parameters.items()}
        yield epoch, _restored(path, card, seeds, (epoch,) * len(seeds), then)


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
        content = read_tensors(path)
    except Exception as error:  # torch raises EOFError, UnpicklingError, KeyError, RuntimeError ... by kind of damage
        raise DetectorError(
            f"{path}: not a model file, or damaged ({one_line(error)}); train the method again"
        ) from error
    if not isinstance(content, dict) or not {"format", "parameters", "seeds", "epochs", "metadata"} <= set(content):
        raise DetectorError(f"{path}: not a model file of oddjet; give one that train_model wrote")
    if content["format"] != FORMAT:
        raise DetectorError(
            f"{path}: model format {content['format']!r}, this version reads {FORMAT}; train the method again"
        )
    try:
        metadata = json.loads(content["metadata"])
    except (TypeError, ValueError) as error:
        raise DetectorError(f"{path}: its metadata are damaged ({one_line(error)}); train the method again") from error
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


def _card(path: Path, content: Mapping[str, Any]) -> Card:
    if "kind" not in content["metadata"]["settings"]:
        raise DetectorError(
            f"{path}: a network of jet images, which sees no features; the workflow scores with a VAE "
            "(docs/images.md), and snakemake bundle publishes it"
        )
    try:
        return Card.from_dict(content["metadata"])
    except OddjetError as error:
        raise DetectorError(f"{path}: {error}") from error


def _restored(
    path: Path, card: Card, seeds: tuple[int, ...], epochs: tuple[int, ...], parameters: Mapping[str, Tensor]
) -> ScaledDetector:
    """Rebuild a detector."""
    restore: Callable[..., ScaledDetector]
    if isinstance(card.settings, ModelSettings):
        from oddjet.detectors.autoencoder.detector import restore
    else:
        # scikit-learn is a second of imports that networks do not need.
        from oddjet.detectors.fitted import restore
    try:
        detector = restore(card, seeds, epochs, parameters)
    except OddjetError as error:
        raise DetectorError(f"{path}: {error}") from error
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RuntimeError) as error:
        raise DetectorError(
            f"{path}: the parameters do not fit the settings in the file ({one_line(error)}); make the detector again"
        ) from error
    return detector
