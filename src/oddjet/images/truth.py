"""Which generated particles a jet of an image sample must lie near: top quarks or W bosons just before their decay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from oddjet.errors import OddjetError
from oddjet.io.chunks import stored_name
from oddjet.io.records import Particles
from oddjet.io.root import detect_layout

# |PDG identifier| of the last copies, which Pythia gives the status 62.
IDENTIFIERS = {"top": 6, "w": 24}
LAST_COPY = 62


class TruthError(OddjetError):
    """A match is asked for of a file without generated particles."""


def generated_particles(path: str | Path, kind: str, chunk_size: int) -> Iterator[Particles]:
    """Read the last copies of one kind of particle, chunk by chunk as `read_candidates` reads the candidates.

    Parameters
    ----------
    path : str or Path
        ROOT file of a supported layout.
    kind : {"top", "w"}
        Top quarks or W bosons.
    chunk_size : int
        Events a chunk.

    Yields
    ------
    Particles
        One row an event.

    Raises
    ------
    TruthError
        The file has no generated particles.
    InputFileError
        The file cannot be read; see `oddjet.io.root`.
    """
    layout = detect_layout(path)
    with uproot.open({str(path): None}) as file:
        tree = file[layout.tree]
        truth = layout.truth
        branches = {name.split("/")[-1] for name in tree.keys()}  # noqa: SIM118  a tree iterates over data
        stored = [stored_name(name, branches) for name in truth.required()] if truth is not None else [None]
        names = [name for name in stored if name is not None]
        if truth is None or len(names) != len(stored):
            raise TruthError(
                f"{path}: require_match is {kind}, but the file has no generated particles; set it to none"
            )
        for chunk in tree.iterate(names, step_size=chunk_size, library="ak"):
            columns = dict(zip(truth.required(), (chunk[name] for name in names), strict=True))
            wanted = (abs(columns[truth.pdg_id]) == IDENTIFIERS[kind]) & (columns[truth.status] == LAST_COPY)
            momenta = [columns[name][wanted] for name in truth.momenta.required()]
            counts = np.asarray(ak.to_numpy(ak.num(momenta[0])))
            flat = [np.asarray(ak.to_numpy(ak.flatten(values)), np.float64) for values in momenta]
            yield Particles(np.concatenate(([0], np.cumsum(counts))).astype(np.int64), *flat)
