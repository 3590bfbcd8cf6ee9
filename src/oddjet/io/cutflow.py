"""The cutflow of a file: what became of every event and jet; feature tables hold it as an attribute."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from oddjet.errors import TableError
from oddjet.io.tables import damage_of, read_attributes

# From this share on, one cut is called the cause.
NEARLY_ALL = 0.9
# What is probably wrong where one cut takes nearly all.
GUESSES = {
    "jets_pt_high": "their pT lies above pt_max: are the momenta in MeV? They must be in GeV",
    "jets_pt_low": "their pT lies below pt_min: lower it, or give events with harder jets",
    "jets_eta": "they lie outside eta_max",
    "jets_rank": "max_jets keeps the leading ones alone",
    "jets_unmatched": "require_match drops them: is it the right kind for this sample, and match_radius wide enough?",
    "events_without_candidates": "no candidate has a pT: are the PUPPI weights all 0? Try apply_puppi_weight: false",
    "events_bad_candidate": "a candidate without a momentum is among theirs: see the log, and bad_candidates",
}


@dataclass
class Cutflow:
    """What became of each event and jet, and the weights; merging two is adding them.

    Attributes
    ----------
    events_read, jets_clustered : int
        The sums of the other counts of their kind.
    events_bad_candidate : int
        Left out for a candidate without a momentum.
    candidates_bad : int
        Such candidates, whether their events or they alone were left out.
    sum_of_weights : float
        Generator weights of all events read.
    sum_of_generated_weights : float
        The same before any skimming, where the files say it (`Runs.genEventSumw`): what a cross section is divided by.
    """

    events_read: int = 0
    events_bad_candidate: int = 0
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
    candidates_bad: int = 0
    sum_of_weights: float = 0.0
    sum_of_generated_weights: float = 0.0

    def __add__(self, other: Cutflow) -> Cutflow:
        return Cutflow(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def check(self, file: str) -> None:
        """Raise TableError, naming the file, unless every event and jet read is passed or rejected by a cut."""
        for kind, first in (("events", "events_read"), ("jets", "jets_clustered")):
            parts = [f.name for f in fields(self) if f.name.startswith(f"{kind}_") and f.name != first]
            total = sum(getattr(self, name) for name in parts)
            if total != getattr(self, first):
                raise TableError(f"{file}: {first} is {getattr(self, first)}, but {' + '.join(parts)} is {total}")

    def largest_loss(self) -> str:
        """Say which cut took most, and what that probably means."""
        if not self.events_read:
            return "no event was read"
        for whole, kind in (("events_read", "events"), ("jets_clustered", "jets")):
            total = getattr(self, whole)
            losses = {name: getattr(self, name) for name in GUESSES if name.startswith(kind)}
            name = max(losses, key=lambda name: losses[name])
            if losses[name] >= NEARLY_ALL * total > 0:
                return f"{name} takes {losses[name]} of {total} {kind}; {GUESSES[name]}"
        if not self.jets_clustered:
            return f"no jet is found in {self.events_read} events: is cluster_pt_min above every jet"
        counts = {name: getattr(self, name) for name in GUESSES if name.startswith("jets")}
        name = max(counts, key=lambda name: counts[name])
        return f"the largest loss is {name}, {counts[name]} of {self.jets_clustered} jets ({self.events_read} events)"

    def to_json(self) -> str:
        """JSON list of [name, count]."""
        return json.dumps([[f.name, getattr(self, f.name)] for f in fields(self)])

    @classmethod
    def from_json(cls, text: str) -> Cutflow:
        """Read what `to_json` wrote; raises `ValueError` or `TypeError` for anything else."""
        return cls(**dict(json.loads(text)))


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


def where_jets_went(tables: Iterable[Path]) -> str:
    """Say of the tables of a sample with too few jets which cut took most, and which files were skipped.

    Returns
    -------
    str
        Sentences for the middle of a message, with a blank behind them. Tables that hold no cutflow, being made of
        other tables, add nothing.

    Raises
    ------
    TableError
        A table cannot be read, or its cutflow is damaged.
    """
    total, skipped = Cutflow(), []
    for path in tables:
        attributes = read_attributes(path)
        if "cutflow" in attributes:
            with damage_of(path, "cutflow"):
                total += Cutflow.from_json(attributes["cutflow"])
        if "bad_file" in attributes:
            with damage_of(path, "bad_file"):
                skipped.append(BadFile(**json.loads(attributes["bad_file"])))
    said = f"Of their events: {total.largest_loss()}. " if total.events_read else ""
    if skipped:
        said += f"{len(skipped)} files were skipped, the first: {skipped[0].reason}. "
    return said
