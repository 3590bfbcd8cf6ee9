"""The files of `snakemake events`: what is simulated or listed, what is scored, what the models and scores are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddjet.addresses import is_remote
from oddjet.detectors.registry import kind_named, opening_modules
from oddjet.errors import EventError
from oddjet.events.settings import NEIGHBOUR_METHODS, PARTS, SUPPORT_VECTOR_METHODS, EventsSettings
from oddjet.io.kept import Kept, find_kept
from oddjet.sources import Found, refuse_shared
from oddjet.titles import titles_of


def listed_events(settings: EventsSettings, seed: int) -> dict[str, Found]:
    """Find the files of the samples that lie in files, by sample; `seed` is that of the configuration.

    Raises
    ------
    SourceError
        A source names no file, or one that another sample has too.
    EventError
        A source is an address.
    """
    keys = {name: f"{'signals' if name in settings.signals else 'background'}.{name}" for name in settings.samples()}
    samples = {
        keys[name]: Kept(sample.files, *_made(settings, name, seed))
        for name, sample in settings.samples().items()
        if sample.files
    }
    found = find_kept(samples, "events", suffixes=(".h5", ".hdf5"))
    refuse_shared({f"events.{key}": list(one.parts.values()) for key, one in found.items()})
    for key, one in found.items():
        for file in filter(is_remote, one.parts.values()):
            raise EventError(
                f"events.{key}.files: {file} is an address; events are read from files of this machine. Fetch it first."
            )
    return {name: found[key] for name, key in keys.items() if key in found}


# Scores without randomness are a group of their own; and what a family records of how it was made.
GROUP = "seeds-0"
RECORDS = {"event_distances": "linearised", "event_neighbours": "neighbours", "event_svm": "svm"}


def _table(name: str) -> str:
    return f"results/events/tables/{name}.h5"


def _made(settings: EventsSettings, name: str, seed: int) -> tuple[tuple[Path, ...], dict[str, list[Any]]]:
    """Give the tables that the events of a sample are read into, and the options that they are made with."""
    if name in settings.signals:
        return (Path(_table(name)),), {"events": [str(settings.sizes.signal)]}
    sizes = json.loads(settings.sizes.model_dump_json(exclude={"signal"}))
    fractions = json.loads(json.dumps(settings.fractions))
    tables = tuple(Path(_table(f"background_{part}")) for part in PARTS)
    return tables, {"settings": [sizes], "fractions": [fractions], "seed": [str(seed)]}


@dataclass(frozen=True)
class EventPlan:
    """Paths and lists of files of the events.

    Attributes
    ----------
    settings
        Of the events.
    found
        The files of each sample that lies in files.
    groups
        The seeds of each group that trains together, by the group's name.
    """

    settings: EventsSettings
    found: Mapping[str, Found]
    groups: Mapping[str, tuple[int, ...]]

    def files(self, sample: str) -> list[str]:
        """Return the files of a sample: those that are listed, or those that Pythia makes."""
        own = self.settings.samples()[sample]
        if own.files:
            return list(self.found[sample].parts.values())
        return [f"results/events/samples/{sample}/{number:04d}.h5" for number in range(own.parts)]

    def background_files(self) -> dict[str, list[str]]:
        """Return the files of every sample of the background."""
        return {name: self.files(name) for name in self.settings.background}

    def table(self, name: str) -> str:
        """Return a set of events: background_train, background_validation, background_test, or a signal."""
        return _table(name)

    def signal_tables(self) -> list[str]:
        """Return the events of every signal."""
        return [self.table(name) for name in self.settings.signals]

    def signal_arguments(self) -> list[str]:
        """Return `NAME=FILE` for every signal."""
        return [f"{name}={self.table(name)}" for name in self.settings.signals]

    def methods(self) -> list[str]:
        """Return all methods that score events: distances, neighbours, support vectors, autoencoders."""
        return [*(name for names in self.families().values() for name in names), *self.settings.methods]

    def families(self) -> dict[str, list[str]]:
        """Return the methods that share their work, by the name of their kind."""
        return {
            "event_distances": self.settings.protocol.distances.methods(),
            "event_neighbours": list(NEIGHBOUR_METHODS),
            "event_svm": list(SUPPORT_VECTOR_METHODS),
        }

    def family_settings(self, kind: str) -> str:
        """Return the settings of a family: what its methods read, so that nothing else scores them again."""
        read = {
            "event_distances": ("sets", "distances"),
            # `distances` says how many events the references take before these.
            "event_neighbours": ("seed", "sets", "distances", "neighbours"),
            "event_svm": ("seed", "sets", "support_vectors"),
        }
        own = self.settings.protocol.model_dump(mode="json", include={"ground", *read[kind]})
        objects = {} if kind == "event_distances" else {"objects": self.settings.objects.model_dump(mode="json")}
        return json.dumps({"kind": kind, **own, **objects})

    def opened_from(self, kind: str) -> dict[str, list[str]]:
        """Return the background events that a family is made from, by the option that names them."""
        validation = [self.table("background_validation")] if kind == "event_svm" else []
        return {"train": [self.table("background_train")], "validation": validation}

    def record(self, kind: str) -> str:
        """Return the file that says what was chosen for a family."""
        return f"results/events/choices/{RECORDS[kind]}.json"

    def opened_modules(self, method: str) -> list[str]:
        """Return what the program `score` imports by name to open a method, or a family."""
        if method in self.families():
            return [kind_named(method).module]
        return opening_modules(self.settings.methods[method], "events")

    def titles(self) -> str:
        """Return the JSON of name to title of the autoencoders; the other scores have the titles of their names."""
        return json.dumps(titles_of(self.settings.methods))

    def scores(self, methods: Iterable[str]) -> list[str]:
        """Return the score tables of methods."""
        return [
            f"results/events/scores/{method}/{group}.h5"
            for method in methods
            for group in (self.groups if method in self.settings.methods else [GROUP])
        ]

    def protocol(self, *sections: str) -> str:
        """Return the part of the protocol's settings that a stage reads, so that no other part reruns it."""
        return self.settings.protocol.model_dump_json(include={"ground", *sections})

    def fractions(self) -> str:
        """Return the JSON of background sample to its share."""
        return json.dumps(self.settings.fractions)

    def results(self) -> list[str]:
        """Return what `snakemake events` makes."""
        figures = [f"figures/{name}.{suffix}" for name in ("roc", "si", "latency") for suffix in ("pdf", "png")]
        pages = [f"results/events/{name}" for name in ("tables.md", "latency.md", *figures)]
        return [*self.scores(self.settings.methods), *pages]
