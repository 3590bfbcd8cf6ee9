"""Figures of the image VAE: losses by epoch, scan of beta (arXiv:2110.06948, figure 3), pairs (1, 4, 5, 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from oddjet.errors import FigureError
from oddjet.plotting.style import GREY, METHOD_COLOURS, figure_style, write_heading

TITLES = {"mse": "MSE", "mae": "MAE", "wass0p5": "Wass(0.5)", "wass1": "Wass(1)", "wass2": "Wass(2)"}
MARKERS = "osD"
BINS = 40


class ScanPoint(NamedTuple):
    """One training: down-samplings, beta, lowest validation loss, and AUC and error of each signal."""

    depth: int
    beta: float
    validation_loss: float
    auc: Mapping[str, tuple[float, float]]


def draw_scan(points: Sequence[ScanPoint], metric: str, label: str) -> Figure:
    """Draw validation loss and AUC against beta, a line a number of down-samplings.

    Parameters
    ----------
    points : sequence of ScanPoint
        Of one training metric.
    metric : str
        Its name.
    label : str
        Words above the left corner, "Simulation".

    Raises
    ------
    FigureError
        If there is no point.
    """
    if not points:
        raise FigureError(f"no VAE was trained with {metric}; add it to images.vae.trainings")
    signals = list(points[0].auc)
    # Betas differ by powers of ten, and one may be 0: they stand side by side.
    betas = sorted({point.beta for point in points})
    unit, unit_title = _unit(max(point.validation_loss for point in points))
    with figure_style():
        figure = Figure(figsize=(8 * (1 + len(signals)), 8), layout="constrained")
        panels = figure.subplots(1, 1 + len(signals), squeeze=False)[0]
        for index, depth in enumerate(sorted({point.depth for point in points})):
            own = sorted((point for point in points if point.depth == depth), key=lambda point: point.beta)
            places = [betas.index(point.beta) for point in own]
            style: dict[str, Any] = {"marker": MARKERS[index % len(MARKERS)], "label": str(depth)}
            panels[0].plot(places, [point.validation_loss / unit for point in own], **style)
            for axes, signal in zip(panels[1:], signals, strict=True):
                values, errors = zip(*(point.auc[signal] for point in own), strict=True)
                axes.errorbar(places, values, yerr=errors, capsize=3, **style)
        for axes, title in zip(
            panels, [f"validation loss (background){unit_title}", *(f"AUC, {name}" for name in signals)], strict=True
        ):
            axes.set_xticks(range(len(betas)), [f"{beta:g}" for beta in betas])
            axes.tick_params(axis="x", which="minor", length=0)
            axes.set_xlabel(r"$\beta$")
            axes.set_ylabel(title)
        panels[0].ticklabel_format(axis="y", useOffset=False)
        panels[-1].legend(title="down-samplings", fontsize=18, title_fontsize=18)
        write_heading(panels[0], label, "")
        write_heading(panels[-1], "", f"trained with {TITLES.get(metric, metric)}")
    return figure


class LossCurve(NamedTuple):
    """One training: metric, down-samplings, seed, epochs with both losses, the mean image's loss."""

    metric: str
    depth: int
    seed: int
    epochs: Sequence[int]
    train: Sequence[float]
    validation: Sequence[float]
    mean_image: float


def draw_losses(curves: Sequence[LossCurve], label: str) -> Figure:
    """Draw the losses of trainings by epoch, a panel a metric, a line a seed, beside that of the mean training image.

    Parameters
    ----------
    curves : sequence of LossCurve
        At least one.
    label : str
        Words above the left corner.

    Raises
    ------
    FigureError
        If there is no curve.
    """
    if not curves:
        raise FigureError("no VAE was trained; add a metric to images.vae.trainings")
    metrics = list(dict.fromkeys(curve.metric for curve in curves))
    with figure_style():
        figure = Figure(figsize=(9 * len(metrics), 8), layout="constrained")
        panels = figure.subplots(1, len(metrics), squeeze=False)[0]
        for axes, metric in zip(panels, metrics, strict=True):
            own = [curve for curve in curves if curve.metric == metric]
            unit, unit_title = _unit(max(curve.mean_image for curve in own))
            depths = sorted({curve.depth for curve in own})
            for colour, depth in zip(METHOD_COLOURS, depths, strict=False):
                for number, curve in enumerate(curve for curve in own if curve.depth == depth):
                    title = None if number else str(depth)
                    axes.plot(curve.epochs, np.divide(curve.train, unit), color=colour, linestyle=":")
                    axes.plot(curve.epochs, np.divide(curve.validation, unit), color=colour, label=title)
            axes.axhline(own[0].mean_image / unit, color=GREY, linestyle="--", label="mean image")
            axes.set_ylim(0, 2 * own[0].mean_image / unit)
            axes.set_xlabel("epoch")
            axes.set_ylabel(f"loss on background{unit_title}")
            axes.legend(title="down-samplings", fontsize=18, title_fontsize=18)
            write_heading(axes, label if metric == metrics[0] else "", f"trained with {TITLES.get(metric, metric)}")
    return figure


def draw_pairs(pairs: NDArray[np.void], chosen: str, label: str) -> Figure:
    """Draw distances of pairs of jets: inside the network against between the images, with Pearson's correlation.

    Parameters
    ----------
    pairs : structured ndarray
        Columns `mse`, metrics `wass1`, `wass0p5`, ..., `latent BETA` and `block-N`, as `write_pairs` wrote them.
    chosen : str
        The beta whose blocks are there.
    label : str
        Words above the left corner.

    Raises
    ------
    FigureError
        If there is no transport distance among the columns.
    """
    names = pairs.dtype.names or ()
    heights = [name for name in ("wass1", "wass0p5") if name in names]
    if not heights:
        raise FigureError("no transport distance among the pairs; add wass1 to images.ensembles.compared")
    latents = [name for name in names if name.startswith("latent")]
    blocks = [name for name in names if name.startswith("block")]
    # Figures 1 and 4 side by side, below them figure 5, and figure 6 where there is its metric.
    rows = [[("mse", heights[0]), *((name, heights[0]) for name in latents)]]
    rows += [[(name, height) for name in (*blocks, f"latent {chosen}")] for height in heights]
    width = max(len(row) for row in rows)
    with figure_style():
        figure = Figure(figsize=(5.5 * width, 5.5 * len(rows)), layout="constrained")
        panels = figure.subplots(len(rows), width, squeeze=False)
        for line, row in zip(panels, rows, strict=True):
            for axes in line[len(row) :]:
                axes.set_axis_off()
            for axes, (name, height) in zip(line, row, strict=False):
                _draw_panel(axes, pairs[name], pairs[height], _inner_title(name), TITLES[height])
        figure.suptitle(label, x=0.01, ha="left", style="italic", fontsize=26)
    return figure


def _draw_panel(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], x_title: str, y_title: str) -> None:
    unit, unit_title = _unit(float(np.max(x)))
    axes.hist2d(x / unit, y, bins=BINS, cmap="Blues", cmin=1, rasterized=True)
    correlation = np.corrcoef(x, y)[0, 1]
    axes.set_title(f"correlation {correlation:.3f}", fontsize=20)
    axes.set_xlabel(x_title + unit_title, fontsize=20)
    axes.set_ylabel(y_title, fontsize=20)
    axes.tick_params(labelsize=14)


def _unit(largest: float) -> tuple[float, str]:
    """Give the power of ten that numbers up to `largest` are divided by, and how a label says so."""
    power = int(np.floor(np.log10(largest))) if largest > 0 else 0
    return (1.0, "") if -2 <= power <= 3 else (10.0**power, rf" [$10^{{{power}}}$]")


def _inner_title(name: str) -> str:
    kind, _, rest = name.replace("-", " ").partition(" ")
    if kind == "latent":
        return rf"latent, $\beta$ = {name.partition(' ')[2]}"
    return f"after block {rest}" if kind == "block" else f"{TITLES[name]} between images"
