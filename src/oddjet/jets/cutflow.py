"""The cutflows of samples: merged from those of their files, checked against the tables, and whether jets are left."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import JetError, TableError
from oddjet.io.cutflow import BadFile, Cutflow, sentence
from oddjet.io.tables import damage_of, read_attributes, read_json, read_table
from oddjet.selection import golden
from oddjet.selection.golden import Blocks

LOGGER = logging.getLogger("oddjet")

# Attributes of the table of data with a golden JSON: the blocks that were read, and the certified ones among them.
BLOCKS = ("luminosity_blocks_read", "luminosity_blocks_certified")
IDENTIFIERS = ["run", "luminosityBlock", "event"]


def table_cutflow(path: Path) -> tuple[Cutflow, BadFile | None, NDArray[np.void]]:
    """Read the cutflow of a feature table, checked against its rows.

    Returns
    -------
    Cutflow
    BadFile or None
        The bad file that the table stands for, if it does.
    structured array
        Identifiers and entry of each event with a jet, once.

    Raises
    ------
    TableError
        The counts do not add up, or are not those of the rows.
        The table is incomplete or not a table.
    """
    attributes = read_attributes(path)
    if "cutflow" not in attributes:
        raise TableError(f"{path}: the table has no cutflow; it is not one of extract_features")
    try:
        cutflow = Cutflow.from_json(attributes["cutflow"])
        skipped = BadFile(**json.loads(attributes["bad_file"])) if "bad_file" in attributes else None
    except (TypeError, ValueError) as error:
        raise TableError(
            f"{path}: its cutflow is damaged or of another version ({error}); make the table again"
        ) from error
    cutflow.check(str(path))
    rows = read_table(path, [*IDENTIFIERS, "entry"])
    events = rows[np.unique(rows["entry"], return_index=True)[1]]
    for name, count in (("jets_passed", len(rows)), ("events_passed", len(events))):
        if getattr(cutflow, name) != count:
            raise TableError(f"{path}: the cutflow says {name} {getattr(cutflow, name)}, the table has {count}")
    return cutflow, skipped, events


def luminosity_blocks(tables: Sequence[Path]) -> dict[str, Blocks]:
    """Return the luminosity blocks of a sample's tables, each once, by the name of their count in the cutflow.

    Raises
    ------
    TableError
        An attribute of a table is damaged.
    """
    found: dict[str, list[Blocks]] = {name: [] for name in BLOCKS}
    for path in tables:
        for name in BLOCKS:
            if name in read_attributes(path):
                with damage_of(path, name):
                    found[name].append(golden.from_json(read_json(path, name)))
    return {name: golden.union(several) for name, several in found.items()}


def merge_sample(name: str, tables: Sequence[Path]) -> tuple[Cutflow, list[BadFile]]:
    """Merge the cutflows of a sample's tables: their sum, and the files that were skipped.

    A luminosity block that several files hold is counted once.

    Events are told apart by file and entry. Those that share run, luminosity block and event number with another are
    counted and named once, in the log: private productions number their events again and again.

    Raises
    ------
    TableError
        As `table_cutflow`.
    """
    merged = Cutflow()
    bad, events = [], []
    for path in tables:
        cutflow, skipped, rows = table_cutflow(path)
        merged += cutflow
        bad += [skipped] if skipped else []
        events.append(rows[IDENTIFIERS])
    for key, blocks in luminosity_blocks(tables).items():
        setattr(merged, key, golden.count(blocks))
    merged.check(name)
    values, counts = np.unique(np.concatenate(events), return_counts=True)
    if len(values) and counts.max() > 1:
        first = ":".join(str(number) for number in values[int(np.argmax(counts > 1))])
        LOGGER.warning(
            "sample %s: %d events share run, luminosity block and event number with another, the first %s; they count "
            "as different events, by file and entry. If a file is merged twice, give it once",
            name,
            int(counts[counts > 1].sum()),
            first,
        )
    return merged, bad


def check_enough(
    samples: Mapping[str, tuple[Cutflow, list[BadFile]]],
    backgrounds: Sequence[str],
    signals: Sequence[str],
    minimum_signal_jets: int,
) -> None:
    """Refuse samples with too few jets, or without weight, before anything is trained, and say where jets went.

    Parameters
    ----------
    samples : mapping
        Cutflow and skipped files of each sample; see `merge_sample`.
    backgrounds, signals : sequence of str
        Names of samples of either kind.
    minimum_signal_jets : int
        Fewest jets of a signal.

    Raises
    ------
    JetError
        Names every such sample, its largest loss and its skipped files, or its sum of weights.
    """
    wrong = []
    limits = {**dict.fromkeys(backgrounds, 1), **dict.fromkeys(signals, minimum_signal_jets)}
    for name, limit in limits.items():
        cutflow, bad = samples[name]
        if cutflow.jets_passed >= limit:
            continue
        skipped = f" {len(bad)} files were skipped, the first: {bad[0].reason}." if bad else ""
        wrong.append(
            f"sample {name}: {cutflow.jets_passed} jets pass, fewer than {limit}; {sentence(cutflow.largest_loss())}"
            f"{skipped}"
        )
    if wrong:
        raise JetError(
            "\n".join(wrong) + "\nGive more events or files, change the cuts (features), or lower "
            "evaluation.minimum_signal_jets"
        )
    for name in limits:
        cutflow, _ = samples[name]
        if cutflow.sum_of_weights <= 0:
            raise JetError(
                f"sample {name}: the generator weights of its {cutflow.events_read} events add up to "
                f"{cutflow.sum_of_weights:g}, so nothing can be said of shares of it. Look at the files' weights"
            )


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
    JetError
    """
    if len(bad) > max_bad_fraction * tables:
        lost = sum(file.events_lost or 0 for file in bad)
        raise JetError(
            f"sample {name}: {len(bad)} of {tables} files were skipped, with at least {lost} events, more than "
            f"max_bad_fraction {max_bad_fraction} allows; the first: {bad[0].reason}"
        )


def processed(tables: Mapping[str, Sequence[Path]]) -> str:
    """Write the certified luminosity blocks that were read, by sample, each in the form of a golden JSON."""
    blocks = {name: luminosity_blocks(paths)[BLOCKS[1]] for name, paths in tables.items()}
    return json.dumps({name: json.loads(golden.to_json(one)) for name, one in blocks.items() if one}) + "\n"


def read_report(path: Path) -> dict[str, Any]:
    """Read a file of `report`; raises `TableError`, naming it."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise TableError(f"{path}: no readable report of check_cutflow ({error}); run that stage again") from error


def report(samples: Mapping[str, tuple[Cutflow, list[BadFile]]]) -> tuple[str, str]:
    """Write the cutflows by sample and the skipped files by sample as two JSON texts."""
    cutflows = {name: json.loads(cutflow.to_json()) for name, (cutflow, _) in samples.items()}
    bad = {name: [asdict(file) for file in files] for name, (_, files) in samples.items() if files}
    return json.dumps(cutflows, indent=2) + "\n", json.dumps(bad, indent=2) + "\n"
