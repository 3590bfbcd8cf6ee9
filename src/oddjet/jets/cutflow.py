"""Cutflows: what became of every event and jet, one a file, merged for a sample, checked against the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from oddjet.errors import OddjetError
from oddjet.io.tables import read_attributes, read_table


class CutflowError(OddjetError):
    """The counts of a cutflow do not add up."""


@dataclass
class Cutflow:
    """What became of each event and jet, and the weights; merging two is adding them.

    Attributes
    ----------
    events_read, jets_clustered : int
        The sums of the other counts of their kind.
    sum_of_weights : float
        Generator weights of all events read.
    sum_of_generated_weights : float
        The same before any skimming, where the files say it (`Runs.genEventSumw`): what a cross section is divided by.
    """

    events_read: int = 0
    events_without_candidates: int = 0
    events_without_selected_jet: int = 0
    events_passed: int = 0
    jets_clustered: int = 0
    jets_pt_low: int = 0
    jets_pt_high: int = 0
    jets_eta: int = 0
    jets_rank: int = 0
    jets_unmatched: int = 0
    jets_passed: int = 0
    sum_of_weights: float = 0.0
    sum_of_generated_weights: float = 0.0

    def __add__(self, other: Cutflow) -> Cutflow:
        return Cutflow(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def check(self, file: str) -> None:
        """Raise CutflowError, naming the file, unless every event and jet read is passed or rejected by a cut."""
        for kind, first in (("events", "events_read"), ("jets", "jets_clustered")):
            parts = [f.name for f in fields(self) if f.name.startswith(f"{kind}_") and f.name != first]
            total = sum(getattr(self, name) for name in parts)
            if total != getattr(self, first):
                raise CutflowError(f"{file}: {first} is {getattr(self, first)}, but {' + '.join(parts)} is {total}")

    def to_json(self) -> str:
        """JSON list of [name, count]."""
        return json.dumps([[f.name, getattr(self, f.name)] for f in fields(self)])

    @classmethod
    def from_json(cls, text: str) -> Cutflow:
        """Read what `to_json` wrote."""
        return cls(**dict(json.loads(text)))


class BadFilesError(OddjetError):
    """More input files were skipped than the settings allow."""


@dataclass(frozen=True)
class BadFile:
    """An input file that was skipped.

    Attributes
    ----------
    file : str
    error : str
        Name of the exception's class.
    reason : str
        Its message.
    events_lost : int or None
        Events that the file's header promises; None where it cannot be read.
    """

    file: str
    error: str
    reason: str
    events_lost: int | None

    def to_json(self) -> str:
        """JSON object, for the attribute `bad_file` of the table that stands for the file."""
        return json.dumps(asdict(self))


def table_cutflow(path: Path) -> tuple[Cutflow, BadFile | None]:
    """Cutflow of a feature table, checked against its rows, and the bad file that the table stands for, if it does.

    Raises
    ------
    CutflowError
        The counts do not add up, or are not those of the rows.
    TableError
        The table is incomplete or not a table.
    """
    attributes = read_attributes(path)
    if "cutflow" not in attributes:
        raise CutflowError(f"{path}: the table has no cutflow; it is not one of extract_features")
    cutflow = Cutflow.from_json(attributes["cutflow"])
    cutflow.check(str(path))
    rows = read_table(path, ["run", "luminosityBlock", "event"])
    for name, count in (("jets_passed", len(rows)), ("events_passed", len(np.unique(rows)))):
        if getattr(cutflow, name) != count:
            raise CutflowError(f"{path}: the cutflow says {name} {getattr(cutflow, name)}, the table has {count}")
    bad = attributes.get("bad_file")
    return cutflow, BadFile(**json.loads(bad)) if bad else None


def merge_sample(name: str, tables: Sequence[Path]) -> tuple[Cutflow, list[BadFile]]:
    """Merge the cutflows of a sample's tables: their sum, and the files that were skipped.

    Raises
    ------
    CutflowError, TableError
        As `table_cutflow`.
    """
    merged = Cutflow()
    bad = []
    for path in tables:
        cutflow, skipped = table_cutflow(path)
        merged += cutflow
        bad += [skipped] if skipped else []
    merged.check(name)
    return merged, bad


def check_bad_files(name: str, bad: Sequence[BadFile], tables: int, max_bad_fraction: float) -> None:
    """Refuse a sample of which too many files were skipped.

    Parameters
    ----------
    name : str
        The sample, for the message.
    bad : sequence of BadFile
    tables : int
        Number of files of the sample, skipped or not.
    max_bad_fraction : float
        Largest share of the files that may have been skipped.

    Raises
    ------
    BadFilesError
    """
    if len(bad) > max_bad_fraction * tables:
        lost = sum(file.events_lost or 0 for file in bad)
        raise BadFilesError(
            f"sample {name}: {len(bad)} of {tables} files were skipped, with at least {lost} events, more than "
            f"max_bad_fraction {max_bad_fraction} allows; the first: {bad[0].reason}"
        )


def report(samples: Mapping[str, tuple[Cutflow, list[BadFile]]]) -> tuple[str, str]:
    """Write the cutflows by sample and the skipped files by sample as two JSON texts."""
    cutflows = {name: json.loads(cutflow.to_json()) for name, (cutflow, _) in samples.items()}
    bad = {name: [asdict(file) for file in files] for name, (_, files) in samples.items() if files}
    return json.dumps(cutflows, indent=2) + "\n", json.dumps(bad, indent=2) + "\n"
