"""The cutflow of a file: what became of every event and jet; feature tables hold it as an attribute."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

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
    "jets_subleading_pt_low": "their events have no second jet above subleading_pt_min",
    "jets_unmatched": "require_match drops them: is it the right kind for this sample, and match_radius wide enough?",
    "events_without_candidates": "they hold no candidate with a pT: is its collection filled? If the PUPPI weights are "
    "all 0, try apply_puppi_weight: false",
    "events_not_certified": "golden_json does not list their luminosity blocks: is it of this year and these runs?",
    "jets_not_in_file": "none of the file's own jets lies near: is pt_min below the pT from which these are kept?",
    "events_bad_candidate": "a candidate without a momentum is among theirs: see the log, and bad_candidates",
    "events_bad_jet": "a stored jet without a momentum is among theirs: see the log, or set recluster: true",
    "events_bad_particle": "a generator particle to match with has no momentum: see the log, and require_match",
}


# Between the kind of a cut and its clause, in the name of a count.
CLAUSE = ": "
# What a clause of a cut probably is where it takes nearly all.
CUT_GUESS = "is this cut the right one, and in the units of the file?"
NO_JET = (
    "is cluster_pt_min above every jet, are the momenta in TeV, or has the file no jets of its own with "
    "constituents (recluster: false)?"
)
# Counts that are told only where they are not 0: most samples have nothing to do with them.
RARE = (
    "events_not_certified",
    "jets_subleading_pt_low",
    "jets_not_in_file",
    "luminosity_blocks_read",
    "luminosity_blocks_certified",
)


@dataclass
class Cutflow:
    """What became of each event and jet, and the weights; merging two is adding them.

    Attributes
    ----------
    events_read, jets_clustered : int
        The sums of the other counts of their kind.
    events_bad_candidate : int
        Left out for a candidate without a momentum.
    events_bad_jet, events_bad_particle : int
        Left out for a stored jet, or a generator particle that jets are matched to, without a momentum.
    events_not_certified : int
        Of data: in luminosity blocks that golden_json does not list.
    events_cut, jets_cut : dict of str to int
        Left out by each clause of the cuts on events and jets, those that passed the cuts before alone.
    jets_not_in_file : int
        Without a jet of the file's own nearby, where a cut or a kept column asks for one.
    candidates_bad : int
        Candidates without a momentum, whether their events or they alone were left out.
    luminosity_blocks_read, luminosity_blocks_certified : int
        Of data with golden_json; a block in two files counts twice until `oddjet.jets.cutflow` merges them.
    sum_of_weights : float
        Generator weights of all events read.
    sum_of_generated_weights : float
        The same before any skimming, where the files say it (`Runs.genEventSumw`): what a cross section is divided by.
    """

    events_read: int = 0
    events_bad_candidate: int = 0
    events_bad_jet: int = 0
    events_bad_particle: int = 0
    events_not_certified: int = 0
    events_cut: dict[str, int] = field(default_factory=dict)
    events_without_candidates: int = 0
    events_without_selected_jet: int = 0
    events_passed: int = 0
    jets_clustered: int = 0
    jets_pt_low: int = 0
    jets_pt_high: int = 0
    jets_eta: int = 0
    jets_rank: int = 0
    jets_subleading_pt_low: int = 0
    jets_unmatched: int = 0
    jets_not_in_file: int = 0
    jets_cut: dict[str, int] = field(default_factory=dict)
    jets_passed: int = 0
    candidates_bad: int = 0
    luminosity_blocks_read: int = 0
    luminosity_blocks_certified: int = 0
    sum_of_weights: float = 0.0
    sum_of_generated_weights: float = 0.0

    def __add__(self, other: Cutflow) -> Cutflow:
        return Cutflow(**{f.name: _sum(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)})

    def counts(self) -> dict[str, float]:
        """Return all counts by name, those of a clause as `events_cut: MET_pt > 200`."""
        counts: dict[str, float] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, dict):
                counts |= {f"{one.name}{CLAUSE}{clause}": number for clause, number in value.items()}
            elif value or one.name not in RARE:
                counts[one.name] = value
        return counts

    def check(self, file: str) -> None:
        """Raise TableError, naming the file, unless every event and jet read is passed or rejected by a cut."""
        counts = self.counts()
        for kind, first in (("events", "events_read"), ("jets", "jets_clustered")):
            parts = [name for name in counts if name.startswith(f"{kind}_") and name != first]
            total = sum(counts[name] for name in parts)
            if total != counts[first]:
                raise TableError(f"{file}: {first} is {counts[first]}, but {' + '.join(parts)} is {total}")

    def largest_loss(self) -> str:
        """Say which cut took most, and what that probably means."""
        if not self.events_read:
            return "no event was read"
        counts = self.counts()
        guesses = {name: CUT_GUESS for name in counts if CLAUSE in name} | GUESSES
        for whole, kind in (("events_read", "events"), ("jets_clustered", "jets")):
            total = counts[whole]
            losses = {name: counts.get(name, 0) for name in guesses if name.startswith(kind)}
            name = max(losses, key=lambda name: losses[name])
            if losses[name] >= NEARLY_ALL * total > 0:
                guess = guesses["events_bad_candidate" if kind == "events" and self.candidates_bad else name]
                return f"{name} takes {losses[name]} of {total} {kind}; {guess}"
        cut = sum(self.events_cut.values()) + self.events_not_certified
        if cut == self.events_read:
            return f"the cuts on events take all {cut} of them: {json.dumps(self.events_cut)}"
        if not self.jets_clustered:
            return f"no jet is found in {self.events_read - cut} events: {NO_JET}"
        losses = {name: counts.get(name, 0) for name in guesses if name.startswith("jets")}
        name = max(losses, key=lambda name: losses[name])
        events = f"{self.jets_clustered} jets ({self.events_read} events)"
        return f"the largest loss is {name}, {losses[name]} of {events}; {guesses[name]}"

    def to_json(self) -> str:
        """JSON list of [name, count], a clause of a cut as [events_cut: MET_pt > 200, count]."""
        return json.dumps([[name, count] for name, count in self.counts().items()])

    @classmethod
    def from_json(cls, text: str) -> Cutflow:
        """Read what `to_json` wrote; raises `ValueError` or `TypeError` for anything else."""
        given: dict[str, Any] = {}
        for name, count in dict(json.loads(text)).items():
            kind, is_clause, clause = name.partition(CLAUSE)
            if is_clause:
                given.setdefault(kind, {})[clause] = count
            else:
                given[kind] = count
        return cls(**given)


def _sum(one: Any, other: Any) -> Any:  # noqa: ANN401  numbers, or numbers by clause
    if isinstance(one, dict):
        return {clause: one.get(clause, 0) + other.get(clause, 0) for clause in {**one, **other}}
    return one + other


def sentence(words: str) -> str:
    """End words with a full stop, unless they ask something."""
    return words if words.endswith("?") else f"{words}."


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
    said = f"Of their events: {sentence(total.largest_loss())} " if total.events_read else ""
    if skipped:
        said += f"{len(skipped)} files were skipped, the first: {skipped[0].reason}. "
    return said
