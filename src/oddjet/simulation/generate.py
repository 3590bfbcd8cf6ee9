"""From settings to a ROOT file: run Pythia batch by batch, reconstruct, write."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pythia8mc
import uproot

from oddjet.errors import SimulationError
from oddjet.io.atomic import atomic_path
from oddjet.program import progress
from oddjet.simulation.columns import event_columns
from oddjet.simulation.parts import derive_seed, run_number
from oddjet.simulation.processes import pythia_settings
from oddjet.simulation.settings import Process, SimulationSettings

LOGGER = logging.getLogger("oddjet")

EVENTS_A_BATCH = 250  # 45 MB of full event records
BATCHES_A_BLOCK = 4  # ROOT baskets below 1000 events compress badly
# What Pythia starts its messages with; the rest of its output is tables.
MESSAGE_START = ("PYTHIA Warning", "PYTHIA Error", "PYTHIA Abort")
FAILURES_ALWAYS_ALLOWED = 10
MILLIBARN = 1e9  # in pb


def simulate_sample(
    path: Path,
    process: Process,
    settings: SimulationSettings,
    *,
    sample: str,
    part: int,
    events: int,
    seed: int,
    attributes: Mapping[str, str],
) -> None:
    """Simulate events and write them to a ROOT file, which appears when it is whole.

    Parameters
    ----------
    path
        The file: a tree `Events` (branches in docs/simulation.md) and a string `metadata` (JSON).
    process, settings
        What is produced, and what all samples have in common.
    sample, part
        Name of the sample and number of this part: they give the run number and the luminosity block, part + 1.
    events
        Number of events in the file, at least 1.
    seed
        Seed of the config; see `oddjet.simulation.parts`.
    attributes
        Provenance, kept in the metadata.

    Raises
    ------
    SimulationError
        `events` is below 1, Pythia refuses a setting, does not start, or gives up too many events.
    """
    if events < 1:
        raise SimulationError(f"events = {events}: a sample needs at least 1 event.")
    job_seed, run = derive_seed(seed, sample, part), run_number(seed, sample)
    # The detector draws from a generator of its own, so that a change of its parameters leaves Pythia's events alone.
    generator = np.random.default_rng(job_seed)
    pythia = start_pythia(process, settings, job_seed)
    limit = int(max(FAILURES_ALWAYS_ALLOWED, settings.failed_fraction_max * events))
    failed = 0
    with atomic_path(path) as temporary, uproot.recreate(temporary, compression=uproot.ZSTD(3)) as file:
        first = 1
        block: list[dict[str, Any]] = []
        sizes = [min(EVENTS_A_BATCH, events - done) for done in range(0, events, EVENTS_A_BATCH)]
        for size in progress(sizes, total=len(sizes), description=f"{sample}/{part}"):
            batch, failures = next_events(pythia, size, limit - failed)
            failed += failures
            block.append(event_columns(batch, pythia, settings.detector, generator, run=run, part=part, first=first))
            first += size
            if len(block) == BATCHES_A_BLOCK or first > events:
                write_block(file, block)
                block.clear()
        job = {"seed": job_seed, "run": run, "pythia_settings": pythia_settings(process, settings, job_seed)}
        request = {"sample": sample, "part": part, "process": process.model_dump(), "events": events}
        outcome = {"failed_events": failed, **generator_facts(pythia)}
        file["metadata"] = json.dumps({**attributes, **request, **job, **outcome})


def start_pythia(process: Process, settings: SimulationSettings, seed: int) -> pythia8mc.Pythia:
    """Configure and initialise Pythia; `seed` is the job's.

    Raises
    ------
    SimulationError
        A setting is unknown to Pythia or out of its range, or the process cannot be initialised.
    """
    with captured_output() as output:
        pythia = new_pythia()
        refused = [line for line in pythia_settings(process, settings, seed) if not pythia.readString(line)]
        started = not refused and pythia.init()
    if refused:
        raise SimulationError(
            f"Pythia refuses the setting '{refused[0]}' ({output()}). Install the pythia8mc of envs/requirements.lock."
        )
    if not started:
        raise SimulationError(
            f"Pythia does not start {process.root!r} at com_energy = {settings.com_energy:g} GeV ({output()}). "
            "Change the masses or pthat_min so that the process has phase space at this energy."
        )
    return pythia


def generator_facts(pythia: pythia8mc.Pythia) -> dict[str, float | str]:
    """Give Pythia's version and, after generation, the leading-order cross section with its statistical error, pb."""
    info = pythia.infoPython()
    return {
        "pythia_version": f"{pythia.settings.parm('Pythia:versionNumber'):.3f}",
        "cross_section_pb": info.sigmaGen() * MILLIBARN,
        "cross_section_error_pb": info.sigmaErr() * MILLIBARN,
    }


def next_events(pythia: pythia8mc.Pythia, size: int, failures_allowed: int) -> tuple[ak.Array, int]:
    """Generate exactly `size` events; give their full records and how many further ones Pythia gave up."""
    parts: list[ak.Array] = []
    done = failures = 0
    while done < size:
        with captured_output() as output:
            batch = pythia.nextBatch(size - done, errorMode="skip")
        failures += size - done - len(batch)
        done += len(batch)
        parts.append(batch)
        if failures > failures_allowed:
            raise SimulationError(
                f"Pythia gave up {failures} of {done + failures} events, {failures_allowed} are allowed ({output()}). "
                "Change the process (masses, lambda_dark), or raise failed_fraction_max if the loss does not matter."
            )
    return (parts[0] if len(parts) == 1 else ak.concatenate(parts)), failures


def write_block(file: uproot.WritableDirectory, block: list[dict[str, Any]]) -> None:
    """Append batches of columns to the tree `Events`, which the first call makes."""
    columns = {name: ak.concatenate([batch[name] for batch in block]) for name in block[0]}
    if "Events" not in file:
        file.mktree("Events", {name: values.type for name, values in columns.items()})
    file["Events"].extend(columns)


@contextmanager
def captured_output() -> Iterator[Callable[[], str]]:
    """Keep what C++ prints to standard output out of ours; gives a function that returns Pythia's messages in it.

    Pythia writes tables, warnings and errors there (silenced by its own settings, it would not say why it stops).
    Python's `sys.stdout` cannot hold that back: the file descriptor itself is turned aside.
    """
    sys.stdout.flush()
    messages: list[str] = []
    kept = os.dup(1)
    with tempfile.TemporaryFile() as store:
        os.dup2(store.fileno(), 1)
        try:
            yield lambda: "; ".join(messages) or "nothing"
        finally:
            ctypes.CDLL(None).fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
            store.seek(0)
            lines = (line.decode(errors="replace").strip() for line in store)
            messages.extend(line for line in lines if line.startswith(MESSAGE_START))
            for message in messages:
                LOGGER.debug(message)


def new_pythia() -> pythia8mc.Pythia:
    """Make a Pythia that reads the settings and particle data that it was built with.

    `PYTHIA8DATA`, which other software sets to the data of another Pythia, would be read in their place.
    """
    os.environ.pop("PYTHIA8DATA", None)
    return pythia8mc.Pythia("", False)
