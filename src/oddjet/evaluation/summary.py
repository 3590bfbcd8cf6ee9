"""Averages over seeds and over the grid, and the summary table of a run."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from oddjet.axes import Point, axes_of, check_points
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import TOGETHER, by_background, in_words
from oddjet.evaluation.history import EpochAucRow
from oddjet.report.markdown import markdown_table, with_errors
from oddjet.titles import Titles

EXPLANATION = """\
Each cell is the mean AUC over seeds ± its uncertainty. AUC is the probability that a signal jet scores higher than a
background jet (ties count one half); it is never flipped, so values below 0.5 are printed as they are. The uncertainty
is the statistical error (DeLong, mean over seeds: all seeds score the same jets) and the standard deviation over seeds
(the spread of a single training, not divided by the root of their number), added in quadrature{single}.
{grid}
Every AUC is measured on background jets that neither trained a model nor chose its epoch.
"""
BOOTSTRAP = """\
The statistical error of the mean over the grid is that of a bootstrap of events over the whole grid, whose points share
the background jets."""
CORRELATED = """\
In the mean over the grid the statistical errors are averaged as if fully correlated, since all grid points share the
background jets: an upper bound, usually twice the error."""
GAPS = """\
There is no AUC where nearly all jets have the same score, or where weights of both signs leave a value outside 0 to 1;
the log of evaluate says which.
"""


@dataclass(frozen=True)
class SeedAverage:
    """Mean AUC over seeds with the two parts of its uncertainty."""

    mean: float
    statistical: float
    spread: float
    seeds: int

    @property
    def uncertainty(self) -> float:
        """Statistical error and standard deviation over seeds in quadrature."""
        return math.hypot(self.statistical, self.spread)

    def __str__(self) -> str:
        return with_errors(self.mean, self.uncertainty)


def average(values: Sequence[float], errors: Sequence[float]) -> SeedAverage:
    """Average over seeds.

    Parameters
    ----------
    values, errors : sequence of float
        AUC and statistical error of each seed, on the same jets.

    Returns
    -------
    SeedAverage
        Mean, mean statistical error (the jets are shared, so it does not shrink with the number of seeds) and sample
        standard deviation over seeds (0 for a single seed). All are NaN if one seed has no value: a mean of the others
        would hide that one.
    """
    if any(map(math.isnan, values)):
        return SeedAverage(math.nan, math.nan, math.nan, len(values))
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return SeedAverage(statistics.fmean(values), statistics.fmean(errors), spread, len(values))


def average_over_seeds(rows: Sequence[AucRow]) -> dict[str, dict[str, SeedAverage]]:
    """Average the rows of each method and signal over seeds: method to signal to average, in the order of the rows.

    Raises
    ------
    EvaluationError
        If a (method, seed, signal) comes twice, or a seed lacks a signal that another one has.
    """
    cells: dict[str, dict[str, list[AucRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        same = cells[row.method][row.signal]
        if row.seed in [other.seed for other in same]:
            raise EvaluationError(
                f"method {row.method}, seed {row.seed}, signal {row.signal} comes twice in the AUC tables"
            )
        same.append(row)
    for method, signals in cells.items():
        seeds = {row.seed for same in signals.values() for row in same}
        for signal, same in signals.items():
            missing = sorted(seeds - {row.seed for row in same})
            if missing:
                raise EvaluationError(
                    f"method {method} has no AUC of signal {signal} for seed {missing[0]}; score it again"
                )
    return {
        method: {
            signal: average([row.auc for row in same], [row.auc_error for row in same])
            for signal, same in signals.items()
        }
        for method, signals in cells.items()
    }


def points_of(rows: Sequence[AucRow | EpochAucRow]) -> dict[str, Point]:
    """Return the point of each signal; raise `AxesError` if two share one, or one lacks an axis of the others."""
    points = {row.signal: row.point for row in rows}
    check_points(points)
    return points


def averages_of_method(rows: Sequence[AucRow]) -> dict[str, SeedAverage]:
    """Average one method's rows over seeds, by signal; raise `EvaluationError` if they are of more than one."""
    methods = sorted({row.method for row in rows})
    if len(methods) != 1:
        raise EvaluationError(f"one heatmap shows one method; the AUC table holds {', '.join(methods)}")
    return average_over_seeds(rows)[methods[0]]


def average_over_grid(rows: Sequence[AucRow]) -> dict[str, SeedAverage]:
    """Average over all signals and then over seeds, a method, where there are AUCs and no scores.

    The spread is that of the seeds' grid means. Statistical errors of grid points are averaged, as if fully correlated:
    the points share the background jets, and the true error is not larger than that (usually half). With scores at hand
    it is known: `oddjet.evaluation.grid`.
    """
    seeds: dict[str, dict[int, list[AucRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        seeds[row.method][row.seed].append(row)
    return {
        method: average(
            [statistics.fmean(row.auc for row in same) for same in by_seed.values()],
            [statistics.fmean(row.auc_error for row in same) for same in by_seed.values()],
        )
        for method, by_seed in seeds.items()
    }


def check_same_jets(rows: Sequence[AucRow]) -> dict[str, tuple[int, int]]:
    """Return (signal jets, background jets) a signal; raise `EvaluationError` if two rows disagree."""
    counts: dict[str, tuple[int, int]] = {}
    for row in rows:
        found = (row.n_signal, row.n_background)
        if counts.setdefault(row.signal, found) != found:
            expected = counts[row.signal]
            raise EvaluationError(
                f"signal {row.signal}: method {row.method}, seed {row.seed} was scored on {found[0]} signal and "
                f"{found[1]} background jets, another one on {expected[0]} and {expected[1]}; score all methods on the "
                "same tables before comparing them"
            )
    return counts


def write_summary(
    rows: Sequence[AucRow],
    grid: Mapping[str, Mapping[str, SeedAverage]] | None,
    epochs: Mapping[str, Mapping[int, int]],
    titles: Titles | None = None,
) -> str:
    """Write the summary of a run as Markdown: a table for each background, method by signal.

    Parameters
    ----------
    rows : sequence of AucRow
        All methods, seeds, backgrounds and signals.
    grid : mapping of str to mapping of str to SeedAverage
        Background to method to its mean over the grid, from `oddjet.evaluation.grid`; None where there are AUCs and no
        scores: the errors of the grid points are then averaged.
    epochs : mapping of str to mapping of int to int
        Method to seed to chosen epoch, where known.
    titles : Titles
        Of the methods, with the units of axes; methods whose loss is approximate transport are labelled so.

    Raises
    ------
    EvaluationError
        If rows come twice, are missing, or rest on different jets.
    """
    titles = titles or Titles()
    backgrounds = by_background(rows)
    lines = ["# AUC, method by signal", ""]
    for background, own in backgrounds.items():
        if len(backgrounds) > 1:
            lines += [f"## Against {in_words(background)}", ""]
        means = average_over_grid(own) if grid is None else grid[background]
        lines += [
            *_opening(check_same_jets(own), background, map(titles.heatmap.head, axes_of(row.point for row in own))),
            *_table(own, means, epochs, titles),
            "",
            *gaps(own, titles),
        ]
    seeds = {method: {row.seed for row in rows if row.method == method} for method in {row.method for row in rows}}
    return "\n".join([*lines, *_closing(seeds, BOOTSTRAP if grid else CORRELATED), *titles.notes()])


def _table(
    rows: Sequence[AucRow],
    means: Mapping[str, SeedAverage],
    epochs: Mapping[str, Mapping[int, int]],
    titles: Titles,
) -> list[str]:
    """Lay out the rows of one background, method by signal."""
    counts, cells = check_same_jets(rows), average_over_seeds(rows)
    signals = list(counts)
    seeds = {method: sorted({row.seed for row in rows if row.method == method}) for method in cells}
    known = any(epochs.get(method) for method in cells)
    columns = map(_title_of(rows).__getitem__, signals)
    lines = [["method", "seeds", *(["epochs"] if known else []), "mean over grid", *columns]]
    for method, averages in cells.items():
        chosen = [str(epochs.get(method, {}).get(seed, "-")) for seed in seeds[method]]
        first = [titles.in_table(method), str(len(seeds[method])), *([", ".join(chosen)] if known else [])]
        values = [str(averages[signal]) if signal in averages else "-" for signal in signals]
        lines.append([*first, str(means[method]), *values])
    lines.append(["signal jets", "", *([""] if known else []), "", *(str(counts[signal][0]) for signal in signals)])
    return markdown_table(lines)


def gaps(rows: Sequence[AucRow], titles: Titles) -> list[str]:
    """Name the methods and seeds that have no AUC where others have one, and say why that may be."""
    seeds: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if math.isnan(row.auc):
            seeds[row.method][row.seed] += 1
    lines = [
        f"{titles(method)}, seed {seed}: no AUC of {count} signal{'s' if count > 1 else ''}, so a dash for the method."
        for method, by_seed in seeds.items()
        for seed, count in by_seed.items()
    ]
    return [*lines, GAPS] if lines else []


def _opening(counts: Mapping[str, tuple[int, int]], background: str, heads: Iterable[str]) -> list[str]:
    sizes_of_background = sorted({size for _, size in counts.values()})
    sizes = [signal for signal, _ in counts.values()]
    samples = f"{len(counts)} signals ({min(sizes)} to {max(sizes)} jets each)"
    test = f"{', '.join(map(str, sizes_of_background))} background test jets"
    if background != TOGETHER:
        test += f" ({background})"
    columns = ", ".join(heads)
    return [f"{samples}, {test}.{f' Columns: {columns}.' if columns else ''}", ""]


def _closing(seeds: Mapping[str, Collection[int]], grid: str) -> list[str]:
    alone = any(len(found) == 1 for found in seeds.values())
    single = "; a method with one seed has the statistical error alone" if alone else ""
    return [EXPLANATION.format(single=single, grid=grid)]


def _title_of(rows: Sequence[AucRow]) -> dict[str, str]:
    """Return a short column title for each signal: its values on the axes, or its name where it has none."""
    points = {row.signal: row.point for row in rows}
    axes = axes_of(points.values())
    titles = {
        name: ", ".join(f"{point[axis]:g}" if axis in point else "-" for axis in axes) if point else name
        for name, point in points.items()
    }
    # Two samples of one point are told apart by their full names.
    shared = {title for title in titles.values() if list(titles.values()).count(title) > 1}
    return {name: name if title in shared else title for name, title in titles.items()}
