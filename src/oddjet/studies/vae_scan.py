"""The scan of the image VAEs (figure 3 and table 1 of arXiv:2110.06948): every beta, every anomaly metric.

The betas of one training metric and depth are opened together. Each is scored by its loss (figure 3), and the one with
the lowest validation loss on background by the other anomaly metrics too (table 1); no signal has a say.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from oddjet.arrays import Floats
from oddjet.detectors.opening import Given, Method, Opened
from oddjet.detectors.vae.scores import ANOMALY_METRICS, score_images
from oddjet.detectors.vae.settings import VaeScan
from oddjet.detectors.vae.train import TrainedVae, images_of, load_vae
from oddjet.errors import DetectorError, EvaluationError
from oddjet.evaluation.scores import auc_rows
from oddjet.images.rows import ImageRows
from oddjet.images.store import ImageBatch
from oddjet.images.vae_results import VaeAucRow
from oddjet.studies.vae_convergence import late_fall, mean_image_loss

# Of the chosen beta, beside the loss.
METRICS = [name for name in ANOMALY_METRICS if name != "loss"]


@dataclass(frozen=True)
class Scanned:
    """What one score table of a scan is of.

    Attributes
    ----------
    training_metric, depth, beta
        Of the training.
    chosen
        1 for the beta with the lowest validation loss on background, 0 for the others.
    validation_loss, late_fall, of_mean_image
        Lowest loss on background validation jets; by which share of itself it fell late, None where there is a single
        epoch; over that of the mean image (`oddjet.studies.vae_convergence`).
    anomaly_metric
        Distance that is the score.
    """

    training_metric: str
    depth: int
    beta: float
    chosen: int
    validation_loss: float
    late_fall: float | None
    of_mean_image: float
    anomaly_metric: str


def open_detector(given: Given) -> Opened:
    """Open all betas of one training metric and depth for scoring; see `oddjet.detectors.opening`.

    The methods are one a beta, by the loss, named `METHOD_beta-BETA`, then the chosen one's other metrics,
    `METHOD_METRIC`. The record has what each score table is of.

    Raises
    ------
    DetectorError
        The models are not of one training metric and depth; there are no training or validation images.
    """
    assert isinstance(given.settings, VaeScan)
    # In another number of threads a reconstruction has other last bits.
    torch.set_num_threads(1)
    trained = {path: load_vae(path) for path in given.models}
    vaes = dict(sorted(trained.items(), key=lambda one: one[1].run.beta))
    if len({(vae.run.metric, vae.run.depth) for vae in vaes.values()}) != 1:
        raise DetectorError(f"{given.method}: give the models of one training metric and depth")
    if given.train is None or given.validation is None:
        raise DetectorError(f"{given.method}: give --train and --validation, the images of the trainings")
    chosen = min(vaes.values(), key=lambda vae: vae.validation_loss)
    trained_on = images_of(chosen.run, chosen.settings, given.train, given.validation)
    unlearnt = mean_image_loss(*trained_on, chosen.run.metric)
    tables = {f"beta-{vae.run.beta:g}": (path, vae, "loss") for path, vae in vaes.items()}
    tables |= {name: (path, chosen, name) for path, vae in vaes.items() if vae is chosen for name in METRICS}
    tables = {f"{given.method}_{name}": table for name, table in tables.items()}
    record = {name: asdict(_scanned(*table, chosen, unlearnt)) for name, table in tables.items()}

    def score(batch: ImageBatch) -> Sequence[Floats]:
        scores = {}
        for vae in vaes.values():
            wanted = [metric for _, own, metric in tables.values() if own is vae]
            scores[vae.run.beta] = score_images(vae, batch, wanted, given.threads)
        return [scores[vae.run.beta][metric][:, None] for _, vae, metric in tables.values()]

    methods = tuple(Method(name, (vae.settings.seed,), (vae.epoch,)) for name, (_, vae, _) in tables.items())
    return Opened(methods, score, ImageRows(given.settings.jets), record=record)


def _scanned(path: Path, vae: TrainedVae, anomaly: str, chosen: TrainedVae, unlearnt: float) -> Scanned:
    fall = late_fall(path.parent / "history.csv")
    ended = vae.validation_loss, None if math.isnan(fall) else fall, vae.validation_loss / unlearnt
    return Scanned(*vae.run, int(vae is chosen), *ended, anomaly)


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
        A record is damaged, or knows nothing of a table.
    """
    known: dict[str, Scanned] = {}
    for path in records:
        try:
            known |= {name: Scanned(**one) for name, one in json.loads(path.read_text(encoding="utf-8")).items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise EvaluationError(f"{path}: no record of the score tables of a VAE ({error}); score again") from error
    rows = []
    for path in scores:
        for found in auc_rows(path):
            if found.method not in known:
                raise EvaluationError(f"{path}: method {found.method} is in no record; score again")
            own = known[found.method]
            fall = math.nan if own.late_fall is None else own.late_fall
            start = own.training_metric, own.depth, own.beta, own.chosen, own.validation_loss, fall, own.of_mean_image
            counts = found.n_signal, found.n_background
            rows.append(
                VaeAucRow(*start, "none", found.signal, own.anomaly_metric, found.auc, found.auc_error, *counts)
            )
    return rows
