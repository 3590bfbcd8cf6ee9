"""Detectors that are open for scoring: from what they are opened, and the rows that they score.

A kind's settings name its opener, a module with a function `open_detector`: most kinds are read from `model.pt`
(`oddjet.detectors.file`); others stand on several models, on background rows or on images.
"""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from oddjet.dataset.jet_settings import read_jet_settings
from oddjet.detectors.registry import DetectorSettings, opening_modules, read_method
from oddjet.errors import TableError
from oddjet.io.tables import ROWS_AT_A_TIME, Column, iterate_table, read_attributes, read_columns
from oddjet.io.weights import row_weights
from oddjet.program import settings_argument
from oddjet.settings import weight_columns

# An event is told by its file (`source`, within its sample) and its entry there; its numbers are data like any other.
KEPT = ("run", "luminosityBlock", "event", "source", "entry", "jet_rank", "pt", "mass", "weight")


class Method(NamedTuple):
    """Where scores come from: the method's name, its seeds and the epoch chosen for each seed."""

    name: str
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]


@dataclass(frozen=True)
class Given:
    """What a detector is opened from; a kind takes what it needs.

    Attributes
    ----------
    method
        Name of the method.
    settings
        Of the method; their `kind` says what it is.
    background
        Test rows of the background: what is scored, and what a record may describe; nothing is made from them.
    seeds
        One column of scores each; a kind that is read from `model.pt` has those of the file.
    models
        Files of trainings.
    train, validation
        Background rows.
    images
        Files of `make_images`, with the images of all jets that will be scored.
    rows
        What the files hold: `jets`, `events`, or the `images` of jets.
    threads
        Threads that share the work; no score depends on them.
    """

    method: str
    settings: DetectorSettings
    background: Path
    seeds: tuple[int, ...] = ()
    models: tuple[Path, ...] = ()
    train: Path | None = None
    validation: Path | None = None
    images: tuple[Path, ...] = ()
    rows: str = "jets"
    threads: int = 1

    @property
    def files(self) -> list[Path]:
        """Return all files."""
        parts = [path for path in (self.train, self.validation) if path is not None]
        return [*self.models, *parts, *self.images, self.background]


def add_arguments(arguments: ArgumentParser) -> None:
    """Add the options that `given_of` reads."""
    settings_argument(arguments)
    arguments.add_argument("--method", required=True, help="name of the method, for the tables")
    arguments.add_argument("--seeds", type=int, nargs="*", default=(), help="one column of scores each")
    arguments.add_argument("--models", type=Path, nargs="*", default=(), help="model.pt of the method's trainings")
    arguments.add_argument("--train", type=Path, nargs="?", help="training part of the background, where it is needed")
    arguments.add_argument("--validation", type=Path, nargs="?", help="validation part, where it is needed")
    arguments.add_argument("--images", type=Path, nargs="*", default=(), help="files of make_images")
    arguments.add_argument("--background", type=Path, required=True, help="test part of the background")
    kinds = ("jets", "events", "images")
    arguments.add_argument("--rows", choices=kinds, default="jets", help="what the files hold (jets)")
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: %(default)s)")


def given_of(options: Namespace) -> Given:
    """Read the options of `add_arguments`; raise `ConfigError` or `DetectorError` for settings of no kind."""
    return Given(
        options.method,
        read_method(options.settings),
        options.background,
        tuple(options.seeds),
        tuple(options.models),
        options.train,
        options.validation,
        tuple(options.images),
        options.rows,
        options.threads,
    )


class Rows(Protocol):
    """How the rows of a file are read: what a score table keeps of them, and what is scored.

    `of_samples` says whether a table of such rows names the sample of each.
    """

    of_samples: bool

    def columns(self, path: Path) -> list[Column]:
        """Return the columns that are kept, described as in a file of such rows; raise `TableError` for another one."""

    def check(self, paths: Sequence[Path]) -> None:
        """Refuse files that cannot be scored, before the work."""

    def read(
        self, path: Path, kept: Sequence[str], position: int, factor: float
    ) -> Iterator[tuple[Mapping[str, Any], Any]]:
        """Read a file, the one at `position` within its sample, part by part: the kept columns, and what is scored.

        The weights are multiplied by `factor`.
        """


class JetRows:
    """The jets of a table."""

    of_samples = True

    def columns(self, path: Path) -> list[Column]:
        """Return `KEPT`, weights of variations, and what the features keep; raise `TableError` if one is missing."""
        known = {column.name: column for column in read_columns(path)}
        missing = [name for name in KEPT if name not in known]
        if missing:
            raise TableError(f"{path}: no column {missing[0]}; give a table that build_dataset wrote")
        varied = [name for name in weight_columns(known) if name not in KEPT]
        return [known[name] for name in (*KEPT, *varied, *read_jet_settings(path).get("keep", {}))]

    def check(self, paths: Sequence[Path]) -> None:
        """Raise `TableError` for a file that is no table."""
        for path in paths:
            read_attributes(path)

    def read(
        self, path: Path, kept: Sequence[str], position: int, factor: float
    ) -> Iterator[tuple[Mapping[str, Any], NDArray[np.void]]]:
        """Read a table of jets; see `Rows`."""
        # A table of a sample without a correction has no weights of its variations: they are nominal.
        varied = set(weight_columns(kept)) - {column.name for column in read_columns(path)}
        needed = [name for name in kept if name != "source" and name not in varied]
        for jets in iterate_table(path, None, ROWS_AT_A_TIME, needed=needed):
            # A feature table is one source; a table that was made of several says which one each jet is of.
            values = {"source": position, **{name: jets[name] for name in kept if name in (jets.dtype.names or ())}}
            weights = {name: jets["weight" if name in varied else name] for name in weight_columns(kept)}
            yield {**values, **{name: row_weights(stored, factor) for name, stored in weights.items()}}, jets


@dataclass(frozen=True)
class Opened:
    """A method that is open for scoring, or several that share their work.

    Attributes
    ----------
    methods
        Each has a score table.
    score
        From what `rows` reads to the scores of each method, shape (n, S) with a column a seed; larger is more
        anomalous.
    rows
        How the rows are read.
    modules
        Modules that were imported by name; their code counts for the scores.
    record
        What was chosen while it was opened; nothing where nothing is.
    """

    methods: tuple[Method, ...]
    score: Callable[[Any], Sequence[NDArray[np.float64]]]
    rows: Rows = field(default_factory=JetRows)
    modules: tuple[str, ...] = ()
    record: Mapping[str, object] = field(default_factory=dict)


def one_method(
    method: Method, score: Callable[[Any], NDArray[np.float64]], rows: Rows | None = None, *modules: str
) -> Opened:
    """Return one method that is open for scoring: `score` gives its scores, shape (n, S)."""
    return Opened((method,), lambda what: [score(what)], rows or JetRows(), modules)


def open_detector(given: Given) -> Opened:
    """Open the detector of a method by its kind's opener; raise `DetectorError`, or what the opener says."""
    modules = opening_modules(given.settings, given.rows)
    opened: Opened = importlib.import_module(modules[0]).open_detector(given)
    if len(modules) > 1:
        opened = replace(opened, rows=importlib.import_module(modules[1]).FlatEvents())
    return replace(opened, modules=tuple(sorted({*modules, *opened.modules})))
