"""The files of `snakemake events`: what is simulated or listed, what is scored, what the models and scores are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddjet.addresses import is_remote
from oddjet.errors import EventError
from oddjet.events.settings import NEIGHBOUR_METHODS, PARTS, SUPPORT_VECTOR_METHODS, EventsSettings
from oddjet.io.kept import Kept, find_kept
from oddjet.sources import Found, refuse_shared


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
    """Paths and lists of files of the events."""

    settings: EventsSettings
    found: Mapping[str, Found]

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

    def models(self, method: str, groups: Iterable[str]) -> list[str]:
        """Return the models of a method, one a group of seeds."""
        return [f"results/events/models/{method}/{group}/model.pt" for group in groups]

    def methods(self) -> list[str]:
        """Return all methods that score events: distances, neighbours, support vectors, autoencoders."""
        distances = self.settings.protocol.distances.methods()
        return [*distances, *NEIGHBOUR_METHODS, *SUPPORT_VECTOR_METHODS, *self.settings.methods]

    def scores(self, methods: Iterable[str]) -> list[str]:
        """Return the score tables of methods."""
        return [f"results/events/scores/{method}.h5" for method in methods]

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
