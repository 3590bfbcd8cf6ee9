"""Table 1 of Fraser et al. (arXiv:2110.06948) on our jets, the paper's numbers beside ours."""

from __future__ import annotations

import math
from collections.abc import Sequence

from oddjet.detectors.vae.settings import ANOMALY_METRICS
from oddjet.errors import EvaluationError
from oddjet.evaluation.summary import average
from oddjet.images.vae_results import LatentRow, VaeAucRow
from oddjet.report.markdown import markdown_table
from oddjet.studies.vae_convergence import FLAT, LEARNT, shortcomings

TITLES = {"mse": "MSE", "mae": "MAE", "loss": "Loss", "wass0p5": "Wass(0.5)", "wass1": "Wass(1)", "wass2": "Wass(2)"}
# Training metric, down-samplings and signal to the AUC of `ANOMALY_METRICS`; table 1 of the paper.
PAPER = {
    ("mse", 1, "top"): (0.82, 0.82, 0.79, 0.82, 0.83, 0.81),
    ("mse", 1, "w"): (0.61, 0.60, 0.48, 0.45, 0.41, 0.39),
    ("mse", 2, "top"): (0.83, 0.83, 0.80, 0.82, 0.82, 0.81),
    ("mse", 2, "w"): (0.65, 0.65, 0.53, 0.51, 0.51, 0.54),
    ("mse", 3, "top"): (0.84, 0.84, 0.81, 0.83, 0.84, 0.82),
    ("mse", 3, "w"): (0.65, 0.65, 0.53, 0.52, 0.52, 0.54),
    ("wass1", 1, "top"): (0.78, 0.71, 0.72, 0.75, 0.78, 0.76),
    ("wass1", 1, "w"): (0.44, 0.57, 0.49, 0.47, 0.44, 0.39),
    ("wass1", 2, "top"): (0.79, 0.76, 0.75, 0.77, 0.79, 0.77),
    ("wass1", 2, "w"): (0.46, 0.61, 0.52, 0.49, 0.46, 0.40),
    ("wass1", 3, "top"): (0.79, 0.79, 0.77, 0.79, 0.79, 0.72),
    ("wass1", 3, "w"): (0.41, 0.60, 0.51, 0.47, 0.41, 0.36),
}
PAPER_SUPERVISED = {("top", "top"): 0.94, ("w", "w"): 0.96, ("top", "w"): 0.86}

NOTE = """\
AUC ± statistical error (DeLong) on test jets, and the spread of the seeds in quadrature where there are several: the
mean over seeds, {seeds} a VAE, one a supervised network; in brackets the paper's number (arXiv:2110.06948, table 1:
MadGraph, Delphes, 550 000 training jets). AUC is never flipped. Beta is the one with the lowest loss on background
validation jets (mean over seeds), as in the paper; no signal has a say. Scores by transport are exact whatever the
training used, so that Loss and the training's own metric differ by the KLD alone. Supervised networks were trained on
the signal that is named, and are no anomaly detectors; the number of down-samplings is the one with the lowest
validation loss.
"""
TRAININGS_NOTE = f"""\
A training has converged where the lowest validation loss of the last quarter of its epochs is no more than
{100 * FLAT:.0f} % below the lowest one before, and, for a VAE, below {LEARNT:g} of the loss of the mean training image,
which needs no network. Numbers of the others say how far a training came, and not what the method finds.
"""
LATENT_NOTE = """\
Pearson correlations over pairs of background test jets (figures 1, 4, 5, 6 of the paper): Euclidean distance inside
the network of the first seed against a distance between the images. The paper finds that the first blocks follow the
transport distance more closely than the square error does, and the latent space less closely than they do.
"""


def write_vae_table(rows: Sequence[VaeAucRow], latent: Sequence[LatentRow]) -> str:
    """Write table 1, the supervised ceilings and the correlations as Markdown.

    Parameters
    ----------
    rows : sequence of VaeAucRow
        Of all VAEs and supervised networks.
    latent : sequence of LatentRow
        Correlations.
    """
    vaes = [row for row in rows if row.chosen and row.labelled == "none"]
    seeds = len({row.seed for row in vaes})
    signals = list(dict.fromkeys(row.signal for row in rows))
    table = [["training metric", "down-samplings", "beta", "anomaly metric", *(f"{name}, AUC" for name in signals)]]
    for start in dict.fromkeys((row.training_metric, row.depth, row.beta) for row in vaes):
        own = [row for row in vaes if (row.training_metric, row.depth, row.beta) == start]
        for metric in ANOMALY_METRICS:
            cells = [
                _vae_cell([row for row in own if (row.signal, row.anomaly_metric) == (name, metric)])
                for name in signals
            ]
            table.append(
                [TITLES.get(start[0], start[0]) + _mark(own), str(start[1]), f"{start[2]:g}", TITLES[metric], *cells]
            )
    return "\n".join(
        [
            "# Image VAE",
            "",
            *markdown_table(table),
            "",
            "## Supervised",
            "",
            *markdown_table(_supervised(rows, signals)),
            "",
            NOTE.format(seeds=seeds),
            "## Trainings",
            "",
            *markdown_table(_trainings(rows)),
            "",
            TRAININGS_NOTE,
            "## Distances inside the network",
            "",
            *markdown_table(_correlations(latent)),
            "",
            LATENT_NOTE,
        ]
    )


def _vae_cell(rows: Sequence[VaeAucRow]) -> str:
    """Return the mean over seeds, the paper's number behind it."""
    if not rows:
        raise EvaluationError("an anomaly metric has no scores of some signal; give the score tables of the whole scan")
    row = rows[0]
    paper = PAPER.get((row.training_metric, row.depth, row.signal))
    return _cell(rows, None if paper is None else paper[ANOMALY_METRICS.index(row.anomaly_metric)])


def _cell(rows: Sequence[VaeAucRow], paper: float | None) -> str:
    own = str(average([row.auc for row in rows], [row.auc_error for row in rows]))
    return own + ("" if paper is None else f" ({paper:.2f})")


def _supervised(rows: Sequence[VaeAucRow], signals: Sequence[str]) -> list[list[str]]:
    table = [["trained on", "down-samplings", *(f"{name}, AUC" for name in signals)]]
    for labelled in dict.fromkeys(row.labelled for row in rows if row.labelled != "none"):
        own = [row for row in rows if row.labelled == labelled]
        depth = min(own, key=lambda row: row.validation_loss).depth
        cells = [
            _cell([row], PAPER_SUPERVISED.get((labelled, name)))
            for name in signals
            for row in own
            if (row.signal, row.depth) == (name, depth)
        ]
        mark = _mark([row for row in own if row.depth == depth])
        table.append([labelled + mark, str(depth), *cells])
    return table


def _mark(rows: Sequence[VaeAucRow]) -> str:
    """Say if a seed has not converged."""
    return ", **not converged**" if any(shortcomings(row.late_fall, row.of_mean_image) for row in rows) else ""


def _trainings(rows: Sequence[VaeAucRow]) -> list[list[str]]:
    """Return a line a training that was chosen by its validation loss, or (supervised) a line a network."""
    table = [
        ["trained with", "down-samplings", "beta", "seed", "validation loss", "of the mean image's", "fell late by", ""]
    ]
    chosen = {(row.training_metric, row.labelled, row.depth, row.seed): row for row in rows if row.chosen}
    for row in chosen.values():
        vae = row.labelled == "none"
        table.append(
            [
                TITLES.get(row.training_metric, row.training_metric) if vae else f"labels of {row.labelled}",
                str(row.depth),
                f"{row.beta:g}" if vae else "",
                str(row.seed),
                f"{row.validation_loss:.3g}",
                f"{row.of_mean_image:.2f}" if vae else "",
                "-" if math.isnan(row.late_fall) else f"{100 * row.late_fall:.1f} %",
                f"not converged: {why}" if (why := shortcomings(row.late_fall, row.of_mean_image)) else "converged",
            ]
        )
    return table


def _correlations(rows: Sequence[LatentRow]) -> list[list[str]]:
    metrics = list(dict.fromkeys(row.image_metric for row in rows))
    table = [["training metric", "down-samplings", "beta", "layer", *(TITLES.get(name, name) for name in metrics)]]
    found = {(*_place(row), row.image_metric): row.correlation for row in rows}
    for place in dict.fromkeys(_place(row) for row in rows):
        lacking = [name for name in metrics if (*place, name) not in found]
        if lacking:
            raise EvaluationError(f"no correlation with {lacking[0]} of {place}; run the stage that makes it again")
        first = (
            ["-", "-", "-", "images, MSE"]
            if place[3] == "images"
            else [TITLES.get(place[0], place[0]), str(place[1]), f"{place[2]:g}", place[3]]
        )
        table.append([*first, *(f"{found[*place, name]:.3f}" for name in metrics)])
    return table


def _place(row: LatentRow) -> tuple[str, int, float, str]:
    return row.training_metric, row.depth, row.beta, row.layer
