"""Expected limits on the cross section of each signal: events above a cut on the score, pyhf, asymptotic CLs.

An event has the highest score of its jets, so that two jets of one event are not counted as two. The cut is that of a
fixed background efficiency: the background alone chooses it. Events are counted in one bin, so no shape of the score is
assumed to be known, or in as many as `limits.bins` says, a channel each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oddjet.arrays import Floats
from oddjet.axes import HeatmapSettings, Point, view_of
from oddjet.errors import EvaluationError
from oddjet.evaluation.score_histograms import (
    Events,
    Yields,
    event_weights,
    events_of,
    histogram,
    histograms_of,
    samples_of,
)
from oddjet.evaluation.score_table import open_scores
from oddjet.evaluation.settings import LimitSettings
from oddjet.io.atomic import atomic_path, write_text
from oddjet.io.failures import one_line
from oddjet.io.tables import read_columns, read_table
from oddjet.settings import weight_columns
from oddjet.titles import Titles

CHANNEL = "score"
LEVEL = 0.05
# Relative, of a limit.
TOLERANCE = 1e-4
# Strengths between which a limit is looked for, in units of twice its standard deviation.
RANGE = (0.0, 10.0)
# At -2, -1, 0, 1 and 2 standard deviations of the background.
Limits: TypeAlias = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class LimitRow:
    """Expected upper limits (95 % CL) on the cross section (pb) of one signal, by one seed of a method.

    `expected` is the median, the others are its band of one and two standard deviations. `background` and `signal` are
    the events that are counted, all bins together, the signal's for 1 pb.
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
    """What one seed of a method gives: edges of its bins, yields of `histograms_of`, workspace, a row a signal."""

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
        On the stored weights of each signal: what brings them to a cross section of 1 pb; and of each background that
        trains nothing whose weights are in pb.
    settings : LimitSettings
        Luminosity, bins, uncertainty.

    Raises
    ------
    EvaluationError
        There are too few background events for the bins, weights leave one below zero, or pyhf finds no limit.
    """
    weights = weight_columns(column.name for column in read_columns(path))
    table = open_scores(path, ["source", "entry", *weights])
    samples = samples_of(table, test_share, factors, settings.luminosity)
    for seed, scores in table.seeds():
        known = table.of_sample(0)
        background = events_of(table.rows[known], scores[known], 1 / test_share)
        edges = bin_edges(background, settings)
        found = histograms_of(table.rows, scores, samples, edges, settings.luminosity)
        found["background"] = yields(background, edges, settings.luminosity)
        if settings.bins >= len(edges):
            raise EvaluationError(
                f"limits.bins: {settings.bins} are asked for, and {path} has events for {len(edges) - 1}; lower it or "
                "limits.minimum_events, or give more limits.efficiencies"
            )
        counted, errors = (part[-settings.bins :] for part in found["background"])
        workspace = background_workspace(counted, errors, settings.background_uncertainty)
        rows = []
        for name, point in table.points.items():
            own, _ = samples[name]
            signal = yields(events_of(table.rows[own], scores[own], factors[name]), edges, settings.luminosity)
            above = signal.events[-settings.bins :]
            try:
                limits = expected_limits(workspace, above)
            except ValueError as error:
                raise EvaluationError(f"{path}, seed {seed}, {name}: {error}; take fewer limits.bins") from error
            sums = float(counted.sum()), float(above.sum())
            rows.append(LimitRow(table.method.name, seed, name, point, *limits, *sums))
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
    bins = len(found.workspace["channels"])
    patches = {row.signal: patch(found.yields[row.signal].events[-bins:]) for row in found.rows}
    texts = {"background": found.workspace, **patches}
    for name, value in texts.items():
        write_text(folder / f"{name}.json", json.dumps(value, indent=1) + "\n")


def share_of_test(splits: Sequence[Path], test: Path) -> float:
    """Return the share of the background's weight that its test events have among all its splits."""
    weights = {path: event_weights(read_table(path, ["source", "entry", "weight"]))[0].sum() for path in splits}
    return float(weights[test] / sum(weights.values()))


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
    found = histogram(events, edges, luminosity)
    if (found.events < 0).any():
        raise EvaluationError(
            f"the weights of a bin of the score add up to {found.events.min():.4g} events; take fewer "
            "limits.efficiencies"
        )
    return found


def background_workspace(events: ArrayLike, errors: ArrayLike, uncertainty: float) -> dict[str, Any]:
    """Return a pyhf workspace without a signal; the observation is the expectation (Asimov data).

    Each bin is a channel of its own, so that the error of its simulated events is log-normal, as the rate's is.

    Parameters
    ----------
    events, errors : array_like, shape () or (B,)
        Expected background events in each bin, and their errors from the simulated ones.
    uncertainty : float
        Relative, on their rate in all bins together; the error of a single bin is added in quadrature.
    """
    counts, own = np.atleast_1d(np.asarray(events, np.float64)), np.atleast_1d(np.asarray(errors, np.float64))
    relative = own / counts
    names = [CHANNEL] if len(counts) == 1 else [f"{CHANNEL}_{place}" for place in range(1, len(counts) + 1)]
    channels = []
    for name, count, error in zip(names, counts.tolist(), relative.tolist(), strict=True):
        common = math.hypot(uncertainty, error) if len(counts) == 1 else uncertainty
        modifiers = [_log_normal("background_rate", common)]
        if len(counts) > 1:
            modifiers.append(_log_normal(f"simulated_events_{name}", error))
        channels.append({"name": name, "samples": [{"name": "background", "data": [count], "modifiers": modifiers}]})
    return {
        "channels": channels,
        "observations": [{"name": name, "data": [count]} for name, count in zip(names, counts.tolist(), strict=True)],
        "measurements": [{"name": "limit", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def _log_normal(name: str, relative: float) -> dict[str, Any]:
    return {"name": name, "type": "normsys", "data": {"hi": 1 + relative, "lo": 1 / (1 + relative)}}


def signal_sample(events: float) -> dict[str, Any]:
    """Return the signal of a channel; the parameter `mu` multiplies it."""
    return {"name": "signal", "data": [events], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}


def patch(signal: ArrayLike) -> list[dict[str, Any]]:
    """Return the JSON patch that puts a signal of 1 pb, events () or (B,), into a workspace: `pyhf cls --patch`."""
    return [
        {"op": "add", "path": f"/channels/{place}/samples/-", "value": signal_sample(events)}
        for place, events in enumerate(np.atleast_1d(np.asarray(signal, np.float64)).tolist())
    ]


def expected_limits(workspace: Mapping[str, Any], signal: ArrayLike) -> Limits:
    """Return expected upper limits on the signal's cross section (pb) by asymptotic CLs (arXiv:1007.1727).

    Parameters
    ----------
    workspace : mapping
        From `background_workspace`.
    signal : array_like, shape () or (B,)
        Events in each bin for 1 pb.

    Returns
    -------
    tuple of five float
        At minus two, minus one, zero, plus one and plus two standard deviations of the background; NaN where no signal
        is in a bin.

    Raises
    ------
    ValueError
        pyhf finds no limit.
    """
    import pyhf

    counts = np.atleast_1d(np.asarray(signal, np.float64))
    if not counts.sum() > 0:
        return (math.nan,) * 5
    # A signal near its limit, so that the search for it begins at 1.
    scale = 2.0 * _deviation(workspace, counts)
    channels = [
        {**channel, "samples": [*channel["samples"], signal_sample(scale * count)]}
        for channel, count in zip(workspace["channels"], counts.tolist(), strict=True)
    ]
    model = pyhf.Model({"channels": channels}, poi_name="mu")
    observed = {one["name"]: one["data"][0] for one in workspace["observations"]}
    data = [*(observed[name] for name in model.config.channels), *model.config.auxdata]

    def levels(strength: float) -> Floats:
        return np.array(pyhf.infer.hypotest(strength, data, model, return_expected_set=True)[1], np.float64)

    try:
        minus_2, minus_1, median, plus_1, plus_2 = (scale * limit for limit in crossings(levels, 5))
    except (ValueError, pyhf.exceptions.FailedMinimization) as error:
        raise ValueError(f"pyhf finds no limit ({one_line(error)})") from error
    return minus_2, minus_1, median, plus_1, plus_2


def crossings(levels: Callable[[float], Floats], bands: int) -> list[float]:
    """Return where each band of CLs falls to `LEVEL`.

    pyhf's own search takes as an interval the two strengths whose CLs are nearest to the level, and fails where fits
    vary by more than these differ; here it is two neighbours.

    Parameters
    ----------
    levels
        From a strength to its CLs, shape (bands,).
    bands
        How many there are.

    Raises
    ------
    ValueError
        A band is above the level at the end of `RANGE`, or below at its beginning.
    """
    from scipy.optimize import brentq  # slow to import, and those who draw limits need none

    known = cache(levels)
    asked = list(RANGE)

    def above(strength: float, band: int) -> float:
        asked.append(strength)
        return float(known(strength)[band]) - LEVEL

    found = []
    for band in range(bands):
        high = min((one for one in {*asked} if above(one, band) < 0), default=RANGE[1])
        low = max((one for one in {*asked} if one < high), default=RANGE[0])
        found.append(float(brentq(above, low, high, args=(band,), rtol=TOLERANCE)))
    return found


def _deviation(workspace: Mapping[str, Any], signal: Floats) -> float:
    """Return the standard deviation of the strength of a signal (B,) where all errors are Gaussian."""
    samples = [channel["samples"][0] for channel in workspace["channels"]]
    events = np.array([sample["data"][0] for sample in samples])
    rates, *own = zip(*([one["data"]["hi"] - 1 for one in sample["modifiers"]] for sample in samples), strict=True)
    covariance = np.diag(events + np.square(events * np.sum(own, axis=0))) + np.outer(events * rates, events * rates)
    return float(1.0 / np.sqrt(signal @ np.linalg.solve(covariance, signal)))


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
                filled = Hist(Regular(len(events), 0, len(events), name="bin", label=label), storage=Weight())
                filled.view().value, filled.view().variance = events, errors**2
                file[f"seed-{found.seed}/{name}"] = filled
