"""Expected limits on the cross section of each signal: events above a cut on the score, pyhf, asymptotic CLs.

An event has the highest score of its jets, so that two jets of one event are not counted as two. The cut is that of a
fixed background efficiency: the background alone chooses it. Events are counted in one bin, so no shape of the score is
assumed to be known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddjet.axes import HeatmapSettings, Point, view_of
from oddjet.errors import EvaluationError
from oddjet.evaluation.scores import read_method
from oddjet.evaluation.settings import LimitSettings
from oddjet.evaluation.signals import read_points
from oddjet.io.atomic import atomic_path, write_text
from oddjet.io.tables import read_table
from oddjet.titles import Titles

PER_FEMTOBARN = 1000.0  # 1/pb
CHANNEL = "score"
LEVEL = 0.05
# At -2, -1, 0, 1 and 2 standard deviations of the background.
Limits: TypeAlias = tuple[float, float, float, float, float]


class Events(NamedTuple):
    """Events of one sample: scores, shape (n,), and weights in pb, shape (n,)."""

    scores: NDArray[np.float64]
    weights: NDArray[np.float64]


class Yields(NamedTuple):
    """Expected events in each bin, shape (B,), and the root of their summed squared weights, shape (B,)."""

    events: NDArray[np.float64]
    errors: NDArray[np.float64]


@dataclass(frozen=True)
class LimitRow:
    """Expected upper limits (95 % CL) on the cross section (pb) of one signal, by one seed of a method.

    `expected` is the median, the others are its band of one and two standard deviations. `background` and `signal` are
    the events in the tightest bin, the signal's for 1 pb.
    """

    method: str
    seed: int
    signal: str
    point: Point
    minus_2: float
    minus_1: float
    expected: float
    plus_1: float
    plus_2: float
    background: float
    signal_per_pb: float


@dataclass(frozen=True)
class SeedLimits:
    """What one seed of a method gives: edges of its bins, yields of all samples, workspace, a row a signal."""

    seed: int
    edges: NDArray[np.float64]
    yields: dict[str, Yields]
    workspace: dict[str, Any]
    rows: list[LimitRow]


def method_limits(
    path: Path, test_share: float, factors: Mapping[str, float], settings: LimitSettings
) -> Iterator[SeedLimits]:
    """Estimate the limits of every seed of one score table.

    Parameters
    ----------
    path : Path
        Score table, with the background's weights in pb.
    test_share : float
        Which share of the background the table holds; see `share_of_test`.
    factors : mapping of str to float
        On the stored weights of each signal: what brings them to a cross section of 1 pb.
    settings : LimitSettings
        Luminosity, bins, uncertainty.

    Raises
    ------
    EvaluationError
        There are too few background events, or weights leave a bin below zero.
    """
    method, points = read_method(path), read_points(path)
    jets = read_table(path, ["sample", "source", "entry", "weight", "score"])
    for column, seed in enumerate(method.seeds):
        background = events_of(jets[jets["sample"] == 0], column, 1 / test_share)
        edges = bin_edges(background, settings)
        found = {"background": yields(background, edges, settings.luminosity)}
        (*_, counted), (*_, error) = found["background"]
        workspace = background_workspace(float(counted), float(error), settings.background_uncertainty)
        rows = []
        for code, (name, point) in enumerate(points.items(), start=1):
            signal = yields(events_of(jets[jets["sample"] == code], column, factors[name]), edges, settings.luminosity)
            above = float(signal.events[-1])
            limits = expected_limits(workspace, above)
            rows.append(LimitRow(method.name, seed, name, point, *limits, float(counted), above))
            found[name] = signal
        yield SeedLimits(seed, edges, found, workspace, rows)


class LimitCurves(NamedTuple):
    """Limits of all methods along an axis.

    Attributes
    ----------
    axis
        Words at the abscissa; empty where each signal stands for itself.
    names
        Words for the signals at 0, 1, ... of the abscissa then.
    methods
        Method to words for the other axes to value on the axis to limits (pb), the geometric mean over seeds.
    """

    axis: str
    names: list[str]
    methods: dict[str, dict[str, dict[float, Limits]]]


def limits_along(rows: Sequence[LimitRow], settings: HeatmapSettings, titles: Titles) -> LimitCurves:
    """Sort limits along the abscissa of the signals' heatmap (`oddjet.axes.view_of`)."""
    points = {row.signal: row.point for row in rows}
    view = view_of(points, settings)
    names = [] if view.x else [settings.words(view.own(points[name])) or titles.sample(name) for name in view.signals]
    seeds: dict[str, dict[str, dict[float, list[Limits]]]] = {}
    for row in (row for row in rows if row.signal in view.signals):
        others = {axis: value for axis, value in row.point.items() if axis != view.x and (view.x or axis in view.fixed)}
        place = row.point[view.x] if view.x else float(view.signals.index(row.signal))
        limits = (row.minus_2, row.minus_1, row.expected, row.plus_1, row.plus_2)
        seeds.setdefault(row.method, {}).setdefault(settings.words(others), {}).setdefault(place, []).append(limits)
    with np.errstate(invalid="ignore"):
        means = {
            method: {
                words: {place: _geometric_mean(found) for place, found in sorted(places.items())}
                for words, places in panels.items()
            }
            for method, panels in seeds.items()
        }
    return LimitCurves(settings.label(view.x) if view.x else "", names, means)


def _geometric_mean(limits: Sequence[Limits]) -> Limits:
    minus_2, minus_1, median, plus_1, plus_2 = np.exp(np.log(limits).mean(axis=0)).tolist()
    return minus_2, minus_1, median, plus_1, plus_2


def write_seed(folder: Path, found: SeedLimits) -> None:
    """Write the workspace of one seed, and a patch for each signal."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"background": found.workspace, **{row.signal: patch(row.signal_per_pb) for row in found.rows}}
    for name, value in texts.items():
        write_text(folder / f"{name}.json", json.dumps(value, indent=1) + "\n")


def share_of_test(splits: Sequence[Path], test: Path) -> float:
    """Return the share of the background's weight that its test events have among all its splits."""
    weights = {path: _event_weights(read_table(path, ["source", "entry", "weight"]))[0].sum() for path in splits}
    return float(weights[test] / sum(weights.values()))


def events_of(jets: NDArray[np.void], column: int, factor: float) -> Events:
    """Return the events of one sample's rows of a score table.

    Parameters
    ----------
    jets : ndarray
        Structured, shape (n,), with `source`, `entry`, `weight` and `score`.
    column : int
        Which seed.
    factor : float
        On the weights: what brings them to pb.
    """
    weights, inverse = _event_weights(jets)
    scores = np.full(len(weights), -np.inf)
    np.maximum.at(scores, inverse, jets["score"][:, column])
    return Events(scores, weights * factor)


def _event_weights(jets: NDArray[np.void]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the weight of each event, shape (m,), and which event each jet is of, shape (n,)."""
    keys = np.stack([jets["source"].astype(np.int64), jets["entry"].astype(np.int64)], axis=1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return jets["weight"][first].astype(np.float64), inverse.reshape(-1)


def bin_edges(background: Events, settings: LimitSettings) -> NDArray[np.float64]:
    """Return the edges of the bins, from minus to plus infinity, the tightest bin last.

    Raises
    ------
    EvaluationError
        If fewer than two bins hold as many background events as `minimum_events`.
    """
    order = np.argsort(-background.scores)
    passed = np.cumsum(background.weights[order])
    edges = [math.inf]
    for efficiency in sorted(settings.efficiencies):
        cut = background.scores[order][min(np.searchsorted(passed, efficiency * passed[-1]), len(order) - 1)]
        weights = background.weights[(background.scores >= cut) & (background.scores < edges[-1])]
        if cut < edges[-1] and weights.sum() > 0 and _worth(weights) >= settings.minimum_events:
            edges.append(float(cut))
    edges.append(-math.inf)
    if len(edges) < 4:
        raise EvaluationError(
            f"{len(order)} background events are too few for bins of {settings.minimum_events} events each; lower "
            "limits.minimum_events, or take a larger test part"
        )
    return np.array(edges[::-1])


def _worth(weights: NDArray[np.float64]) -> float:
    """Return how many events of one weight would have the same relative error."""
    return float(weights.sum() ** 2 / np.square(weights).sum())


def yields(events: Events, edges: NDArray[np.float64], luminosity: float) -> Yields:
    """Return what is expected in each bin at a luminosity (1/fb).

    Raises
    ------
    EvaluationError
        If weights of both signs leave a bin below zero.
    """
    scale = luminosity * PER_FEMTOBARN
    sums = np.histogram(events.scores, edges, weights=events.weights)[0] * scale
    squares = np.histogram(events.scores, edges, weights=np.square(events.weights))[0] * scale**2
    if (sums < 0).any():
        raise EvaluationError(
            f"the weights of a bin of the score add up to {sums.min():.4g} events; take fewer limits.efficiencies"
        )
    return Yields(sums, np.sqrt(squares))


def background_workspace(events: float, error: float, uncertainty: float) -> dict[str, Any]:
    """Return a pyhf workspace without a signal; the observation is the expectation (Asimov data).

    Parameters
    ----------
    events, error : float
        Expected background events above the cut, and their error from the simulated ones.
    uncertainty : float
        Relative, on their rate; the error is added in quadrature.
    """
    relative = math.hypot(uncertainty, error / events)
    modifiers = [{"name": "background_rate", "type": "normsys", "data": {"hi": 1 + relative, "lo": 1 / (1 + relative)}}]
    return {
        "channels": [{"name": CHANNEL, "samples": [{"name": "background", "data": [events], "modifiers": modifiers}]}],
        "observations": [{"name": CHANNEL, "data": [events]}],
        "measurements": [{"name": "limit", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def signal_sample(events: float) -> dict[str, Any]:
    """Return the signal of a workspace; the parameter `mu` multiplies it."""
    return {"name": "signal", "data": [events], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}


def patch(signal: float) -> list[dict[str, Any]]:
    """Return the JSON patch that puts a signal of 1 pb into a workspace, as `pyhf cls --patch` takes it."""
    return [{"op": "add", "path": "/channels/0/samples/-", "value": signal_sample(signal)}]


def expected_limits(workspace: Mapping[str, Any], signal: float) -> Limits:
    """Return expected upper limits on the signal's cross section (pb) by asymptotic CLs (arXiv:1007.1727).

    Parameters
    ----------
    workspace : mapping
        From `background_workspace`.
    signal : float
        Events above the cut for 1 pb.

    Returns
    -------
    tuple of five float
        At minus two, minus one, zero, plus one and plus two standard deviations of the background; NaN where no signal
        is above the cut.
    """
    import pyhf
    from pyhf.infer.intervals.upper_limits import upper_limit

    if signal <= 0:
        return (math.nan,) * 5
    (background,) = workspace["channels"][0]["samples"]
    (events,) = background["data"]
    relative = background["modifiers"][0]["data"]["hi"] - 1
    # A signal near its limit, so that the search for it begins at 1.
    scale = 2.0 * math.hypot(math.sqrt(events), relative * events) / signal
    spec = {"channels": [{"name": CHANNEL, "samples": [background, signal_sample(scale * signal)]}]}
    model = pyhf.Model(spec, poi_name="mu")
    _, expected = upper_limit([events, *model.config.auxdata], model, level=LEVEL)
    minus_2, minus_1, median, plus_1, plus_2 = (scale * float(limit) for limit in expected)
    return minus_2, minus_1, median, plus_1, plus_2


def write_histograms(path: Path, seeds: Iterable[SeedLimits], record: Mapping[str, object]) -> None:
    """Write each sample as a ROOT histogram over the bins' numbers, the tightest last, with squared weights.

    Those of a seed lie in a folder `seed-N` of the file. The edges of the score stand in the axis label; the outermost
    are infinite, which a histogram cannot hold. The record is kept as `metadata`, as in the files of samples.
    """
    import uproot
    from hist import Hist
    from hist.axis import Regular
    from hist.storage import Weight

    with atomic_path(path) as whole, uproot.recreate(whole) as file:
        file["metadata"] = json.dumps(dict(record))
        for found in seeds:
            label = "bin of the score, edges " + ", ".join(f"{edge:.6g}" for edge in found.edges[1:-1])
            for name, (events, errors) in found.yields.items():
                histogram = Hist(Regular(len(events), 0, len(events), name="bin", label=label), storage=Weight())
                histogram.view().value, histogram.view().variance = events, errors**2
                file[f"seed-{found.seed}/{name}"] = histogram
