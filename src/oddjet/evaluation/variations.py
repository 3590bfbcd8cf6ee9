"""Systematic variations: what a shift of the jets or of the weights does to the AUC and at a working point.

The detector and the cut on its score are the nominal ones: nothing is trained or chosen on a variation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oddjet.arrays import Floats
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.curves import cut_at
from oddjet.evaluation.score_table import read_method
from oddjet.evaluation.signals import read_points
from oddjet.io.tables import read_columns, read_table
from oddjet.report.markdown import markdown_table
from oddjet.settings import VARIED, weight_columns
from oddjet.titles import Titles

NOMINAL = "nominal"
NOTE = """\
Means over the signals and over the seeds. The detector, and the cut that {share:.3g} of the nominal background passes,
are those of the nominal samples: no variation is trained on. Each column is the change under one variation, of signal
and background together; the envelope holds the lowest and the highest of them. Changes are of the same events and so
free of most of their statistical error.
"""


@dataclass(frozen=True)
class VariationRow:
    """A method and signal under one variation, mean over seeds; `*_shift` is the difference from nominal.

    `signal_efficiency` and `background_efficiency` are the shares of weight above the nominal cut; `signal_yield` and
    `background_yield` the selected weights over the nominal ones.
    """

    method: str
    signal: str
    variation: str
    auc: float
    auc_shift: float
    signal_efficiency: float
    signal_efficiency_shift: float
    background_efficiency: float
    background_efficiency_shift: float
    signal_yield: float
    background_yield: float
    n_signal: int
    n_background: int


@dataclass(frozen=True)
class _Sample:
    """Scores (n, S) and weights (n,) of one sample."""

    scores: Floats
    weights: Floats


@dataclass(frozen=True)
class _Measured:
    """One variation of one method: a value for each seed, by signal."""

    auc: dict[str, list[float]]
    signal: dict[str, list[float]]
    background: list[float]
    weights: dict[str, float]
    jets: dict[str, int]


def variation_rows(
    nominal: Sequence[Path], shifted: Mapping[str, Sequence[Path]], background_efficiency: float
) -> list[VariationRow]:
    """Evaluate every variation of every method.

    Parameters
    ----------
    nominal : sequence of Path
        Score tables; a method may have several, with other seeds. Their columns `weight_...` are variations.
    shifted : mapping of str to sequence of Path
        Score tables of each variation of the jets, of the same methods and seeds.
    background_efficiency : float
        Of the nominal background at the working point.

    Returns
    -------
    list of VariationRow
        By method, variation (nominal first) and signal.

    Raises
    ------
    EvaluationError
        A variation has other methods or seeds than the nominal tables.
    TableError
        A file is no score table.
    """
    tables = _by_method(nominal)
    others = {name: _by_method(paths) for name, paths in shifted.items()}
    rows: list[VariationRow] = []
    for method, paths in tables.items():
        for name, found in others.items():
            if [read_method(path) for path in found.get(method, [])] != [read_method(path) for path in paths]:
                raise EvaluationError(f"--shifted: {name} has other seeds or epochs of {method}; score it again")
        cuts = [cut for path in paths for cut in _cuts(path, background_efficiency)]
        measured = {NOMINAL: _measure(paths, "weight", cuts)}
        weights = dict.fromkeys(name for path in paths for name in weight_columns(_names(path)) if name != "weight")
        measured |= {name.removeprefix(VARIED): _measure(paths, name, cuts) for name in weights}
        measured |= {name: _measure(found[method], "weight", cuts) for name, found in others.items()}
        for variation, one in measured.items():
            rows += _rows(method, variation, one, measured[NOMINAL])
    return rows


def write_variations(rows: Sequence[VariationRow], background_efficiency: float, titles: Titles | None = None) -> str:
    """Write the changes and their envelopes as Markdown: a table for the AUC and one for the signal efficiency."""
    titles = titles or Titles()
    names = [name for name in dict.fromkeys(row.variation for row in rows) if name != NOMINAL]
    text = ["# Systematic variations", ""]
    for words, value, shift in (
        ("AUC", "auc", "auc_shift"),
        ("signal efficiency", "signal_efficiency", "signal_efficiency_shift"),
        ("background efficiency", "background_efficiency", "background_efficiency_shift"),
    ):
        table = [["method", words, *names, "envelope"]]
        for method in dict.fromkeys(row.method for row in rows):
            shifts = mean_shifts(rows, method, shift)
            low, high = envelope(shifts.values())
            changes = [f"{shifts[name]:+.4f}" if name in shifts else "-" for name in names]
            mean = _mean(getattr(row, value) for row in rows if (row.method, row.variation) == (method, NOMINAL))
            table.append([titles(method), f"{mean:.4f}", *changes, f"{low:+.4f} {high:+.4f}"])
        text += [f"## {words[0].upper()}{words[1:]}", "", *markdown_table(table), ""]
    return "\n".join([*text, NOTE.format(share=background_efficiency)])


def mean_shifts(rows: Iterable[VariationRow], method: str, shift: str) -> dict[str, float]:
    """Return the change of a quantity (`auc_shift` and its like) by variation, mean over the signals."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.method == method and row.variation != NOMINAL:
            found.setdefault(row.variation, []).append(getattr(row, shift))
    return {name: _mean(values) for name, values in found.items()}


def envelope(shifts: Iterable[float]) -> tuple[float, float]:
    """Return the lowest and the highest change, 0 (nominal) among them."""
    known = [0.0, *(value for value in shifts if not math.isnan(value))]
    return min(known), max(known)


def _by_method(paths: Sequence[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(read_method(path).name, []).append(path)
    return found


def _names(path: Path) -> tuple[str, ...]:
    return tuple(column.name for column in read_columns(path))


def _samples(path: Path, weight: str) -> dict[str, _Sample]:
    """Give the background, under the name "", and the signals of a score table; data are left out."""
    table = read_table(path, ["sample", weight, "score"])
    names = ["", *read_points(path)]
    chosen = (table[table["sample"] == code] for code in range(len(names)))
    return {
        name: _Sample(jets["score"].astype(np.float64), jets[weight].astype(np.float64))
        for name, jets in zip(names, chosen, strict=True)
    }


def _cuts(path: Path, efficiency: float) -> list[float]:
    background = _samples(path, "weight")[""]
    return [cut_at(column, background.weights, efficiency) for column in background.scores.T]


def _measure(paths: Sequence[Path], weight: str, cuts: Sequence[float]) -> _Measured:
    """Measure the tables of a method, one after the other; `cuts` has one for each seed of all of them."""
    found = _Measured({}, {}, [], {}, {})
    place = 0
    for path in paths:
        samples = _samples(path, weight)
        background = samples[""]
        for column in range(background.scores.shape[1]):
            cut, place = cuts[place], place + 1
            found.background.append(_share(background, column, cut))
            below = SampleScores("background", background.scores[:, column], background.weights)
            for name, signal in samples.items():
                if name:
                    above = SampleScores(name, signal.scores[:, column], signal.weights)
                    found.auc.setdefault(name, []).append(compute_auc(below, above).value)
                    found.signal.setdefault(name, []).append(_share(signal, column, cut))
        found.weights.update({name: float(one.weights.sum()) for name, one in samples.items()})
        found.jets.update({name: len(one.weights) for name, one in samples.items()})
    return found


def _share(sample: _Sample, column: int, cut: float) -> float:
    """Return the share of a sample's weight at or above a cut."""
    return float(sample.weights[sample.scores[:, column] >= cut].sum() / sample.weights.sum())


def _rows(method: str, variation: str, one: _Measured, nominal: _Measured) -> list[VariationRow]:
    background, reference = _mean(one.background), _mean(nominal.background)
    found = []
    for name, aucs in one.auc.items():
        auc, efficiency = _mean(aucs), _mean(one.signal[name])
        found.append(
            VariationRow(
                method,
                name,
                variation,
                auc,
                auc - _mean(nominal.auc[name]),
                efficiency,
                efficiency - _mean(nominal.signal[name]),
                background,
                background - reference,
                one.weights[name] / nominal.weights[name],
                one.weights[""] / nominal.weights[""],
                one.jets[name],
                one.jets[""],
            )
        )
    return found


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
