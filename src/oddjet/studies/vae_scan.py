"""The scan of the image VAEs (figure 3 and table 1 of arXiv:2110.06948): AUC of every training and anomaly metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oddjet.arrays import Floats
from oddjet.detectors.vae.scores import ANOMALY_METRICS, score_images
from oddjet.detectors.vae.train import TrainedVae, images_of, load_vae
from oddjet.errors import DetectorError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.images.store import ImageBatch, read_images
from oddjet.images.vae_results import VaeAucRow
from oddjet.io.tables import Column, TableWriter
from oddjet.studies.vae_convergence import late_fall, mean_image_loss

IDENTIFIERS = ("run", "luminosityBlock", "event", "jet_rank", "pt", "mass", "weight")


def score_scan(
    models: Sequence[Path],
    trained_on: tuple[Path, Path],
    samples: Mapping[str, Path],
    jets: int,
    output: Path,
    attributes: Mapping[str, str],
    threads: int = 1,
) -> list[VaeAucRow]:
    """Score samples with the VAEs of one training metric and depth; write the scores of the one with the best beta.

    Parameters
    ----------
    models : sequence of Path
        One a beta, each beside its history.
    trained_on : (Path, Path)
        Training and validation images.
    samples : mapping of str to Path
        Test images by sample, the background first.
    jets : int
        Jets of each sample, at most.
    output : Path
        Table to write: one row a jet, all six anomaly metrics of the chosen VAE.
    attributes : mapping of str to str
        Provenance.
    threads : int
        For the transport distances.

    Returns
    -------
    list of VaeAucRow
        Each beta with the loss (figure 3), the chosen one with all metrics (table 1). Beta is chosen by the lowest
        validation loss on background; no signal has a say.

    Raises
    ------
    DetectorError
        The models are not of one training metric and depth, or there is no signal sample.
    """
    trained = {path: load_vae(path) for path in models}
    vaes = sorted(trained.values(), key=lambda vae: vae.run.beta)
    if len({(vae.run.metric, vae.run.depth) for vae in vaes}) != 1 or len(samples) < 2:
        raise DetectorError("give the models of one training metric and depth, and background and signal samples")
    chosen = min(vaes, key=lambda vae: vae.validation_loss)
    falls = {vae.run.beta: late_fall(path.parent / "history.csv") for path, vae in trained.items()}
    unlearnt = mean_image_loss(*images_of(chosen.run, chosen.settings, *trained_on), chosen.run.metric)
    batches = {name: read_images(path, 0, jets) for name, path in samples.items()}
    rows = []
    for vae in vaes:
        metrics = ANOMALY_METRICS if vae is chosen else ("loss",)
        scores = {name: score_images(vae, batch, metrics, threads) for name, batch in batches.items()}
        ended = (falls[vae.run.beta], vae.validation_loss / unlearnt)
        rows += _auc_rows(vae, ended, scores, batches, metrics, chosen=vae is chosen)
        if vae is chosen:
            _write_scores(output, scores, batches, {**attributes, "run": str(vae.run._asdict())})
    return rows


def _auc_rows(
    vae: TrainedVae,
    ended: tuple[float, float],
    scores: Mapping[str, Mapping[str, Floats]],
    batches: Mapping[str, ImageBatch],
    metrics: Sequence[str],
    *,
    chosen: bool,
) -> list[VaeAucRow]:
    background, *signals = scores
    start = (vae.run.metric, vae.run.depth, vae.run.beta, int(chosen), vae.validation_loss, *ended, "none")
    return [
        VaeAucRow(
            *start,
            signal,
            metric,
            *compute_auc(
                *(SampleScores(n, scores[n][metric], batches[n].jets["weight"]) for n in (background, signal))
            ),
            len(batches[signal]),
            len(batches[background]),
        )
        for signal in signals
        for metric in metrics
    ]


def _write_scores(
    output: Path,
    scores: Mapping[str, Mapping[str, Floats]],
    batches: Mapping[str, ImageBatch],
    attributes: Mapping[str, str],
) -> None:
    kept = [(name, next(iter(batches.values())).jets.dtype[name].str) for name in IDENTIFIERS]
    columns = [Column("sample", "i2", "1", "Position in the attribute `samples`; 0 is background.")]
    columns += [
        Column(name, dtype, "GeV" if name in ("pt", "mass") else "1", "As in the images.") for name, dtype in kept
    ]
    columns += [
        Column(name, "f8", "1", "Distance of the image from its reconstruction.") for name in (*ANOMALY_METRICS, "kld")
    ]
    with TableWriter(output, columns, {**attributes, "samples": ",".join(batches)}) as table:
        for code, (sample, batch) in enumerate(batches.items()):
            rows = np.zeros(len(batch), dtype=[(column.name, column.dtype) for column in columns])
            rows["sample"] = code
            for name in IDENTIFIERS:
                rows[name] = batch.jets[name]
            for name in (*ANOMALY_METRICS, "kld"):
                rows[name] = scores[sample][name]
            table.append(rows)
        table.finish()
