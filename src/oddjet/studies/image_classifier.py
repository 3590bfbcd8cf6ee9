"""The test of the supervised network on images: on its own signal a ceiling, on the others what a transfer finds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from oddjet.detectors.vae.classifier import logits_of
from oddjet.detectors.vae.networks import Classifier
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.images.store import ImageBatch
from oddjet.images.vae_results import VaeAucRow

SUPERVISED = "supervised"


def classifier_rows(
    network: Classifier,
    labelled: str,
    depth: int,
    seed: int,
    validation_loss: float,
    fall: float,
    batches: Mapping[str, ImageBatch],
) -> list[VaeAucRow]:
    """Test a classifier on every signal against the first sample; anomaly metric `logit`.

    Its lowest validation loss, and by how much of itself that fell late (`oddjet.studies.vae_convergence`), stand
    beside each AUC.
    """
    scores = {
        name: SampleScores(name, logits_of(network, batch.dense()), batch.jets["weight"])
        for name, batch in batches.items()
    }
    background, *signals = scores
    start = (SUPERVISED, depth, math.nan, seed, 1, validation_loss, fall, math.nan, labelled)
    return [
        VaeAucRow(
            *start,
            signal,
            "logit",
            *compute_auc(scores[background], scores[signal]),
            len(batches[signal]),
            len(batches[background]),
        )
        for signal in signals
    ]
