"""The scan of the image VAEs (figure 3 and table 1 of arXiv:2110.06948): every beta, every anomaly metric.

The betas of one training metric and depth are opened together. Each is scored by its loss (figure 3), and the one with
the lowest validation loss on background by the other anomaly metrics too (table 1); no signal has a say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from pydantic import TypeAdapter

from oddjet.arrays import Floats
from oddjet.detectors.opening import Given, Method, Opened
from oddjet.detectors.vae.scores import check_size, score_images
from oddjet.detectors.vae.settings import ANOMALY_METRICS, VaeScan
from oddjet.detectors.vae.train import TrainedVae, images_of, load_vae
from oddjet.errors import DetectorError, EvaluationError
from oddjet.evaluation.scores import auc_rows
from oddjet.images.rows import ImageRows
from oddjet.images.store import ImageBatch, read_images
from oddjet.images.vae_results import VaeAucRow
from oddjet.io.failures import one_line
from oddjet.studies.vae_convergence import late_fall, mean_image_loss

# Of the chosen beta, beside the loss.
METRICS = [name for name in ANOMALY_METRICS if name != "loss"]


@dataclass(frozen=True)
class Ended:
    """How the training of a seed ended; see `oddjet.studies.vae_convergence`.

    Attributes
    ----------
    validation_loss
        Lowest one on background validation jets.
    late_fall
        By which share of itself it fell late; None where there is a single epoch.
    of_mean_image
        The loss over that of the mean image.
    """

    validation_loss: float
    late_fall: float | None
    of_mean_image: float


@dataclass(frozen=True)
class Scanned:
    """What one score table of a scan is of.

    Attributes
    ----------
    training_metric, depth, beta
        Of the trainings.
    chosen
        1 for the beta with the lowest validation loss on background, mean over seeds; 0 for the others.
    anomaly_metric
        Distance that is the score.
    ended
        How the training of each seed ended, by seed (as text, for JSON).
    """

    training_metric: str
    depth: int
    beta: float
    chosen: int
    anomaly_metric: str
    ended: dict[str, Ended]


RECORD = TypeAdapter(dict[str, Scanned])


def open_detector(given: Given) -> Opened:
    """Open all betas and seeds of one training metric and depth for scoring; see `oddjet.detectors.opening`.

    The methods are one a beta, by the loss, named `METHOD_beta-BETA`, then the chosen one's other metrics,
    `METHOD_METRIC`. The record has what each score table is of.

    Raises
    ------
    DetectorError
        The models are not of one training metric and depth, or not of the same seeds for each beta, or trained on
        images of another size; there are no training or validation images.
    """
    assert isinstance(given.settings, VaeScan)
    # In another number of threads a reconstruction has other last bits.
    torch.set_num_threads(1)
    trained = {path: load_vae(path) for path in given.models}
    if len({vae.run[:2] for vae in trained.values()}) != 1:
        raise DetectorError(f"{given.method}: give the models of one training metric and depth")
    betas = _by_beta(trained, given.method)
    if given.train is None or given.validation is None:
        raise DetectorError(f"{given.method}: give --train and --validation, the images of the trainings")
    for images in (given.train, given.validation, given.background):
        batch = read_images(images, 0, 1)
        for path, vae in trained.items():
            check_size(path, vae, batch.sparse.pixels, batch.side)
    chosen = min(betas, key=lambda beta: fmean(vae.validation_loss for vae in betas[beta].values()))
    ended = {beta: _ended(vaes, given.train, given.validation) for beta, vaes in betas.items()}
    tables = {f"beta-{beta:g}": (beta, "loss") for beta in betas} | {name: (chosen, name) for name in METRICS}
    named = {f"{given.method}_{name}": table for name, table in tables.items()}
    start = next(iter(trained.values())).run[:2]
    record = {
        name: asdict(Scanned(*start, beta, int(beta == chosen), anomaly, ended[beta]))
        for name, (beta, anomaly) in named.items()
    }

    def score(batch: ImageBatch) -> Sequence[Floats]:
        found: dict[tuple[float, str], list[Floats]] = {}
        for beta, vaes in betas.items():
            wanted = [anomaly for of, anomaly in named.values() if of == beta]
            for vae in vaes.values():
                for anomaly, values in score_images(vae, batch, wanted, given.threads).items():
                    found.setdefault((beta, anomaly), []).append(values)
        return [np.stack(found[table], axis=1) for table in named.values()]

    methods = tuple(
        Method(name, tuple(vae.settings.seed for vae in vaes), tuple(vae.epoch for vae in vaes))
        for name, (beta, _) in named.items()
        for vaes in [betas[beta].values()]
    )
    return Opened(methods, score, ImageRows(given.settings.jets), record=record)


def _by_beta(trained: Mapping[Path, TrainedVae], method: str) -> dict[float, dict[Path, TrainedVae]]:
    """Return the VAEs of each beta, both in ascending order, of each by seed."""
    found: dict[float, dict[Path, TrainedVae]] = {}
    for path, vae in sorted(trained.items(), key=lambda one: (one[1].run.beta, one[1].settings.seed)):
        found.setdefault(vae.run.beta, {})[path] = vae
    seeds = {beta: [vae.settings.seed for vae in vaes.values()] for beta, vaes in found.items()}
    first = next(iter(seeds.values()))
    if len(set(first)) < len(first):
        raise DetectorError(f"{method}: models of the seeds {first}, of which one stands twice; give each model once")
    other = next((beta for beta, own in seeds.items() if own != first), None)
    if other is not None:
        raise DetectorError(f"{method}: models of beta {other:g} are of the seeds {seeds[other]}, others of {first}")
    return found


def _ended(vaes: Mapping[Path, TrainedVae], train: Path, validation: Path) -> dict[str, Ended]:
    """Say how the training of each seed ended."""
    ended = {}
    for path, vae in vaes.items():
        unlearnt = mean_image_loss(*images_of(vae.run, vae.settings, train, validation), vae.run.metric)
        fall = late_fall(path.parent / "history.csv")
        known = None if math.isnan(fall) else fall
        ended[str(vae.settings.seed)] = Ended(vae.validation_loss, known, vae.validation_loss / unlearnt)
    return ended


def scan_rows(records: Sequence[Path], scores: Sequence[Path]) -> list[VaeAucRow]:
    """Compute the AUC of every score table of scans.

    Parameters
    ----------
    records
        What was opened for each scan: `Scanned` by method (JSON).
    scores
        The score tables of these methods.

    Raises
    ------
    TableError
        A file is no score table.
    EvaluationError
        A record is damaged, or knows nothing of a table; a table is given twice, or has no signal.
    """
    known: dict[str, Scanned] = {}
    for path in records:
        try:
            known |= RECORD.validate_json(path.read_bytes())
        except ValueError as error:
            why = one_line(error)
            raise EvaluationError(f"{path}: no record of the score tables of a VAE ({why}); score again") from error
    rows: dict[tuple[str, int, str], VaeAucRow] = {}
    for path in scores:
        for found in auc_rows(path):
            place = found.method, found.seed, found.signal
            if place in rows:
                raise EvaluationError(f"{path}: method {found.method}, seed {found.seed}, stands twice; give it once")
            if found.method not in known or str(found.seed) not in known[found.method].ended:
                raise EvaluationError(f"{path}: method {found.method}, seed {found.seed}, is in no record; score again")
            own = known[found.method]
            ended = own.ended[str(found.seed)]
            fall = math.nan if ended.late_fall is None else ended.late_fall
            start = own.training_metric, own.depth, own.beta, found.seed, own.chosen
            losses = ended.validation_loss, fall, ended.of_mean_image, "none"
            auc = found.auc, found.auc_error, found.n_signal, found.n_background
            rows[place] = VaeAucRow(*start, *losses, found.signal, own.anomaly_metric, *auc)
    if scores and not rows:
        raise EvaluationError(f"{scores[0]}: no signal in the score tables; score the test images of signals too")
    return list(rows.values())
