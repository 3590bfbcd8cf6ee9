"""Cuts on events and jets, and the columns that are kept, of the files of one sample (docs/selection.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats, Ints
from oddjet.errors import DamagedFileError, JetError, SelectionError
from oddjet.io.candidates import CandidateRecord
from oddjet.io.cutflow import Cutflow
from oddjet.io.root import EventFile
from oddjet.io.tables import Column
from oddjet.jets.clustering import Jets
from oddjet.jets.features import REGISTRY, Substructure, chosen_features
from oddjet.jets.matching import nearest
from oddjet.jets.settings import FeatureSettings
from oddjet.selection.evaluation import Value, evaluate, numbers, passes
from oddjet.selection.expressions import JET_COLUMNS, Expression, no_branch, parse_column, parse_cut
from oddjet.selection.golden import Blocks, merged, read_golden
from oddjet.selection.settings import SampleSelection


class Selection:
    """The cuts and kept columns of a sample.

    Parameters
    ----------
    settings : FeatureSettings
    own : SampleSelection
        What the sample has of its own.

    Raises
    ------
    SelectionError
        Its golden JSON cannot be used.
    """

    def __init__(self, settings: FeatureSettings, own: SampleSelection | None = None) -> None:
        own = own or SampleSelection()
        self.event_cuts = _clauses(own.event_cuts(settings.selection))
        self.jet_cuts = _clauses(own.jet_cuts(settings.selection))
        self.kept = {name: parse_column(text) for name, text in settings.keep.items()}
        self.certified: Blocks | None = None if own.golden_json is None else read_golden(Path(own.golden_json))
        self._named = settings.named_branches(own)
        self._settings = settings
        self._features = REGISTRY | {feature.name: feature for feature in chosen_features(settings.features)}
        #: Luminosity blocks that were read, by run.
        self.blocks_read: dict[int, set[int]] = {}

    def columns(self) -> list[Column]:
        """Return the kept columns, float64 for every file: a branch may have another type in another one."""
        return [
            Column(name, "f8", "", f"{expression.text} of the file; in the units of the file.")
            for name, expression in self.kept.items()
        ]

    def branches(self) -> tuple[str, ...]:
        """Return the branches that cuts and kept columns name."""
        return tuple(self._named)

    def required(self) -> tuple[str, ...]:
        """Return the branches that a file must have."""
        return tuple(name for name in self.branches() if not self._settings.may_be_missing(name))

    def readable(self, file: EventFile) -> tuple[str, ...]:
        """Return the branches to read from a file.

        Raises
        ------
        SelectionError
            It lacks one that is no trigger, or any of them unless `missing_triggers` is "not_fired".
        """
        names = self.branches()
        lacking = file.lacking(names)
        for name in self.required():
            if name in lacking:
                words = no_branch(name, self._named[name], [*file.branches, *self._features])
                raise SelectionError(f"{file.path}: {words}")
        return tuple(name for name in names if name not in lacking)

    def of_events(self, record: CandidateRecord, cutflow: Cutflow) -> CandidateRecord:
        """Keep the events that pass; adds those read, and those that each cut leaves out, to `cutflow`.

        Raises
        ------
        SelectionError
            A clause does not give one truth value an event; the message names file and clause.
        """
        left_out = record.losses.left_out
        cutflow.events_read += len(record) + sum(left_out.values())
        for reason, number in left_out.items():
            name = f"events_bad_{reason}"
            setattr(cutflow, name, getattr(cutflow, name) + number)
        cutflow.candidates_bad += record.losses.candidates
        cutflow.sum_of_weights += float(np.sum(record.weight)) + record.losses.weight
        if self.certified is not None:
            self._remember(record)
            good = certified(self.certified, record.run, record.luminosity_block)
            cutflow.events_not_certified += int(np.sum(~good))
            record = record.where(good)
        keep = np.ones(len(record), bool)
        for clause in self.event_cuts:
            with _named(record.file, "the cut on events"):
                fails = ~passes(clause, partial(self._of_event, record), len(record), "event")
            _add(cutflow.events_cut, clause, keep & fails)
            keep &= ~fails
        return record.where(keep)

    def of_jets(self, jets: Jets, record: CandidateRecord, cutflow: Cutflow) -> NDArray[np.bool_]:
        """Tell which jets of a record, after `of_events`, pass; counts the others in `cutflow`.

        Raises
        ------
        SelectionError
            As `of_events`.
        """
        kept = np.ones(len(jets), bool)
        if self._asks_for_own_jets(record):
            kept = self._own_jet(jets, record) >= 0
            cutflow.jets_not_in_file += int(np.sum(~kept))
        for clause in self.jet_cuts:
            left = jets.where(kept)
            lookup = _JetLookup(self, left, record)
            with _named(record.file, "the cut on jets"):
                fails = ~passes(clause, lookup, len(left), "jet")
            _add(cutflow.jets_cut, clause, fails)
            kept[np.flatnonzero(kept)[fails]] = False
        return kept

    def fill(self, rows: NDArray[np.void], jets: Jets, record: CandidateRecord) -> None:
        """Write the kept columns of jets into the rows of a table.

        Raises
        ------
        SelectionError
            A column is not one number a jet.
        JetError
            A value is not finite.
        """
        lookup = _JetLookup(self, jets, record)
        for name, expression in self.kept.items():
            with _named(record.file, f"features.keep.{name}"):
                rows[name] = numbers(expression, lookup.plain, len(jets), "jet")
            sound = np.isfinite(rows[name])
            if not sound.all():
                bad = int(np.argmin(sound))
                raise JetError(
                    f"{record.file}: features.keep.{name}: {expression.text} is {rows[name][bad]} in entry "
                    f"{record.entry[jets.event[bad]]}; keep a number that every event has (of a list that may be "
                    "empty sum or count, not min or max)"
                )

    def _remember(self, record: CandidateRecord) -> None:
        self.remember(map(tuple, np.unique(np.stack([record.run, record.luminosity_block]), axis=1).T.tolist()))

    def remember(self, blocks: Iterable[tuple[int, int]]) -> None:
        """Add luminosity blocks, each a run and a number, to those that were read."""
        for run, block in blocks:
            self.blocks_read.setdefault(run, set()).add(block)

    def luminosity_blocks(self) -> tuple[Blocks, Blocks] | None:
        """Return the luminosity blocks that were read, and the certified ones of them; None without golden JSON."""
        good = self.certified
        if good is None:
            return None
        read = {run: merged((block, block) for block in blocks) for run, blocks in sorted(self.blocks_read.items())}
        kept = {
            run: merged((b, b) for b in blocks if any(first <= b <= last for first, last in good.get(run, ())))
            for run, blocks in sorted(self.blocks_read.items())
        }
        return read, {run: stretches for run, stretches in kept.items() if stretches}

    def _of_event(self, record: CandidateRecord, name: str) -> Value:
        """Give a branch, or the expression of a kept column."""
        branch = partial(self._branch, record)
        return evaluate(self.kept[name], branch) if self.is_alias(name) else branch(name)

    def is_alias(self, name: str) -> bool:
        """Tell whether a name in a cut is that of a kept column, and of no branch."""
        return name in self.kept and self.kept[name].text != name

    def _branch(self, record: CandidateRecord, name: str) -> NDArray[Any] | ak.Array:
        columns = record.columns
        if columns is None or not columns.holds(name):
            if self._settings.may_be_missing(name):
                return np.zeros(len(record), bool)
            raise SelectionError(f"there is no branch {name!r}")
        return columns.values(name)

    def _asks_for_own_jets(self, record: CandidateRecord) -> bool:
        return any(record.is_of_own_jets(name) for one in (*self.jet_cuts, *self.kept.values()) for name in one.names)

    def _own_jet(self, jets: Jets, record: CandidateRecord) -> Ints:
        """Return which of the file's own jets of the record each jet is, -1 where none lies within half the radius."""
        if record.jets is None:
            raise SelectionError(f"{record.file}: has no jets of its own, which a branch of {record.own_jets} asks for")
        return nearest(jets, record.jets.momenta, self._settings.radius / 2)


@contextmanager
def _named(file: str, place: str) -> Iterator[None]:
    """Say of what an expression cannot do in which file and setting it stands."""
    try:
        yield
    except SelectionError as error:
        words = str(error).removeprefix(f"{file}: ")
        raise SelectionError(f"{file}: {place}: {words}") from None


def certified(blocks: Blocks, run: NDArray[np.uint32], block: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Tell which events lie in certified luminosity blocks, bool array of the shape of `run` and `block`."""
    good = np.zeros(len(run), bool)
    for number in np.unique(run).tolist():
        here = run == number
        for first, last in blocks.get(number, ()):
            good |= here & (block >= first) & (block <= last)
    return good


def _clauses(cuts: Sequence[str]) -> tuple[Expression, ...]:
    """Return the clauses of cuts, each once."""
    return tuple({clause.text: clause for cut in cuts for clause in parse_cut(cut)}.values())


def _add(counts: dict[str, int], clause: Expression, fails: NDArray[np.bool_]) -> None:
    counts[clause.text] = counts.get(clause.text, 0) + int(np.sum(fails))


class _JetLookup:
    """From a name to its values for jets: columns, features, branches of the event and of the file's own jets."""

    def __init__(self, selection: Selection, jets: Jets, record: CandidateRecord) -> None:
        self._selection, self._jets, self._record = selection, jets, record
        self._shared = Substructure(jets, selection._settings)
        self._own: Ints | None = None

    def __call__(self, name: str) -> Value:
        """Give what a name in a cut is."""
        selection = self._selection
        return evaluate(selection.kept[name], self.plain) if selection.is_alias(name) else self.plain(name)

    def plain(self, name: str) -> Value:
        """Give what a name in the expression of a kept column is: no other kept column."""
        jets, selection = self._jets, self._selection
        if name in JET_COLUMNS:
            return _column_of(jets, name)
        if name in selection._features:
            return selection._features[name].compute(self._shared)
        values = selection._branch(self._record, name)
        if self._record.is_of_own_jets(name) and isinstance(values, ak.Array):
            return self._of_own_jets(name, values)
        return values[jets.event]

    def _of_own_jets(self, name: str, values: ak.Array) -> Value:
        record = self._record
        if self._own is None:
            self._own = self._selection._own_jet(self._jets, record)
        if record.jets is None or not np.array_equal(ak.num(values), record.jets.momenta.counts()):
            raise DamagedFileError(f"{record.file}: {name} has another length than the file's own jets")
        return np.asarray(ak.to_numpy(ak.flatten(values)))[self._own]


def _column_of(jets: Jets, name: str) -> Floats | Ints:
    if name == "n_constituents":
        return jets.constituents.counts()
    return jets.rank.astype(np.int64) if name == "jet_rank" else np.asarray(getattr(jets, name))
