"""The backgrounds that signals are tested against: which rows of a score table are of which.

Rows of the sample 0 are test jets of what the models were trained on, of one background sample or of several; samples
that train nothing come after the signals.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EvaluationError
from oddjet.io.tables import damage_of, read_attributes, read_json
from oddjet.titles import Titles


class _Against(Protocol):
    @property
    def background(self) -> str: ...


Row = TypeVar("Row", bound=_Against)

# The test jets of several background samples together, each by its weight.
TOGETHER = "background"


@dataclass(frozen=True)
class Background:
    """A background of a score table.

    Attributes
    ----------
    name
        Of its sample; `TOGETHER` where the models were trained on several, for all of these.
    sample
        Value of the column `sample`.
    sources
        Values of the column `source` of its rows; None for all.
    """

    name: str
    sample: int
    sources: tuple[int, ...] | None = None

    def places(self, table: NDArray[np.void]) -> NDArray[np.intp]:
        """Return which rows of a score table are its own."""
        own = np.asarray(table["sample"] == self.sample)
        if self.sources is not None:
            own &= np.isin(table["source"], self.sources)
        return np.flatnonzero(own)


def find_backgrounds(
    test: Path, test_backgrounds: Sequence[str], first: int, of_samples: bool = True
) -> list[Background]:
    """Return the backgrounds of a score table that is made of a test table and of other samples.

    The first one is that of the training: its sample, or all of several together. Then come the single ones of these,
    and those that train nothing.

    Parameters
    ----------
    test : Path
        Test part of a dataset; its attribute `sources` names the sample of each feature table.
    test_backgrounds : sequence of str
        Samples that train nothing.
    first : int
        Value of the column `sample` of the first of these: the signals, and data, come before them.
    of_samples : bool
        Whether the test table says which sample each row is of: sets of whole events do not.

    Raises
    ------
    EvaluationError
        If a sample is in both.
    """
    sources: dict[str, list[int]] = {}
    with damage_of(test, "sources"):
        told = read_attributes(test).get("sources", "[]") if of_samples else "[]"
        for number, (sample, _) in enumerate(json.loads(told)):
            sources.setdefault(sample or TOGETHER, []).append(number)
    both = sorted(set(sources) & set(test_backgrounds))
    if both:
        raise EvaluationError(f"--test-backgrounds: {both[0]} is among the samples of {test}, which train the models")
    found = [Background(next(iter(sources)) if len(sources) == 1 else TOGETHER, 0)]
    if len(sources) > 1:
        found += [Background(name, 0, tuple(numbers)) for name, numbers in sources.items()]
    return [*found, *(Background(name, first + place) for place, name in enumerate(test_backgrounds))]


def backgrounds_to_json(backgrounds: Sequence[Background]) -> str:
    """Write backgrounds as the attribute `backgrounds` of a score table."""
    return json.dumps([[one.name, one.sample, one.sources] for one in backgrounds])


def read_backgrounds(path: Path) -> list[Background]:
    """Read the backgrounds of a score table, that of the training first; raise `TableError` for another table."""
    with damage_of(path, "backgrounds"):
        found = [
            Background(str(name), int(sample), None if sources is None else tuple(map(int, sources)))
            for name, sample, sources in read_json(path, "backgrounds")
        ]
        if not found:
            raise ValueError("there is none")
        return found


def by_background(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return rows by their background, in their order: that of the training first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.background, []).append(row)
    return found


def of_training(rows: Iterable[Row]) -> list[Row]:
    """Return the rows against the background of the training, which comes first."""
    return next(iter(by_background(rows).values()), [])


def in_words(background: str) -> str:
    """Return what a table calls a background: its sample, or all samples of the training."""
    return "all backgrounds of the training" if background == TOGETHER else background


def label_of(background: str, titles: Titles, *, several: bool) -> str:
    """Return what a figure calls a background: nothing where it is all that there is and has no name of a sample."""
    if background != TOGETHER:
        return titles.sample(background)
    return in_words(background) if several else ""


def title_of_training(test: Path, titles: Titles) -> str:
    """Return what a figure calls the background whose test table this is."""
    return label_of(find_backgrounds(test, (), 1)[0].name, titles, several=False) or "background"


def single(backgrounds: Iterable[str]) -> list[str]:
    """Return the names of single samples among those of backgrounds: the only one, or all but `TOGETHER`."""
    names = list(backgrounds)
    return names if len(names) == 1 else [name for name in names if name != TOGETHER]
