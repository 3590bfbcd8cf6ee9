"""Several files in one job: which of them, and the program that does its work for each and keeps what is made already.

The command line of a batch has the options of all files, and after each `+` those of one more file:

    simulate_sample.py --seed 1 + --sample top --part 0 --output 0.root ... + --sample top --part 1 --output 1.root ...

Each file is made as by a command of its own: the record of a file does not tell that there were others.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from oddjet.errors import OddjetError
from oddjet.program import execute, given_options

# Each batch has a rule of its own, whose name begins with the program's or with that of these.
STAGES = ("simulate_sample", "simulate_image_sample", "extract_features")


def stage_of(rule: str) -> str:
    """Give what the rules of all batches of a stage have in common; of any other rule, its name."""
    return next((stage for stage in STAGES if rule.startswith(f"{stage}_")), rule)


@dataclass(frozen=True)
class Batch:
    """Files that one job makes, as (sample, file)."""

    files: tuple[tuple[str, str], ...]

    @property
    def place(self) -> str:
        """The sample and name of the first file: where log and benchmark of the job lie."""
        return "/".join(self.files[0])

    @property
    def name(self) -> str:
        """The same for the name of a rule."""
        return "_".join(self.files[0])

    def __str__(self) -> str:
        """Words for the line that Snakemake prints."""
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"{self.files[0][0]}, file {self.files[0][1]}{more}"

    def paths(self, folder: str, suffix: str) -> list[str]:
        """Name a file `FOLDER/SAMPLE/FILE.SUFFIX` for each of the batch."""
        return [f"{folder}/{sample}/{file}.{suffix}" for sample, file in self.files]


def batches_of(
    files: Mapping[str, Iterable[str]], size: int, related: Mapping[str, Hashable] | None = None
) -> list[Batch]:
    """Divide the files of samples into batches of at most `size`.

    A sample has batches of its own, as equal as can be: they do not change with the other samples. Related samples of
    fewer files, which follow each other, share a batch.

    Parameters
    ----------
    files
        Names of the files of each sample.
    related
        What related samples have in common, the mass of grid points; a sample that is left out has no relatives.
    """
    batches: list[Batch] = []
    small: list[tuple[str, str]] = []
    kinds = {sample: (related or {}).get(sample, sample) for sample in files}
    for sample, names in files.items():
        own = [(sample, name) for name in names]
        if small and (kinds[small[-1][0]] != kinds[sample] or len(small) + len(own) > size):
            batches.append(Batch(tuple(small)))
            small = []
        if len(own) < size:
            small += own
            continue
        count = -(-len(own) // size)
        batches += [
            Batch(tuple(own[len(own) * part // count : len(own) * (part + 1) // count])) for part in range(count)
        ]
    return [*batches, Batch(tuple(small))] if small else batches


def without_gone(batches: Iterable[Batch], gone: set[tuple[str, str]]) -> list[Batch]:
    """Give files that are gone batches of their own where one of their batch's tables is missing.

    The job of a batch that has lost a file cannot run, and its tables stand as they are. Where one is missing, the
    others have to be made without the file that is gone.
    """
    whole: list[Batch] = []
    for batch in batches:
        lost = gone.intersection(batch.files)
        if not lost or all(Path(table).is_file() for table in batch.paths("results/tables", "h5")):
            whole.append(batch)
            continue
        left = tuple(file for file in batch.files if file not in lost)
        whole += [Batch(files) for files in (left, *((file,) for file in sorted(lost))) if files]
    return whole


LOGGER = logging.getLogger("oddjet")

SEPARATOR = "+"
# What of a record says whether a file would be made the same way today.
RECORD = ("script", "code_digest", "options", "inputs")
# The commands of the batch that this process runs; by itself a program makes its file whatever is there.
_BATCH: list[list[str]] = []


def commands_of(words: Sequence[str]) -> list[list[str]]:
    """Split the words of a batch's command line into those of a command for each file; of any other, return them."""
    places = [place for place, word in enumerate(words) if word == SEPARATOR]
    common = list(words[: places[0]] if places else words)
    own = [words[place + 1 : end] for place, end in pairwise([*places, len(words)])]
    return [[*common, *one] for one in own] or [common]


def execute_batch(main: Callable[[], None]) -> None:
    """Run a script's `main` as `oddjet.program.execute` does, once for each file of a batch.

    A file that fails does not keep the others from being made. Until all of a batch are there each has a second name (a
    hard link, `.NAME.made`): a workflow that removes what an unfinished job has written does not find it, and the next
    job goes on with it.
    """
    commands = commands_of(sys.argv[1:]) if SEPARATOR in sys.argv else []
    _BATCH[:] = commands
    execute((lambda: _run(main, commands)) if commands else main)


def _run(main: Callable[[], None], commands: Sequence[list[str]]) -> None:
    made: list[Path] = []
    errors: list[OddjetError] = []
    for words in commands:
        sys.argv[1:] = words
        try:
            main()
        except OddjetError as error:
            errors.append(error)
            continue
        made.append(Path(given_options()["output"][0]))
        _second_name(made[-1]).unlink(missing_ok=True)
        with suppress(OSError):  # a file system without hard links
            os.link(made[-1], _second_name(made[-1]))
    if errors:
        raise type(errors[0])("\nerror: ".join(map(str, errors)))
    for path in made:
        _second_name(path).unlink(missing_ok=True)


def _second_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.made")


def is_made(output: Path, record: Mapping[str, str], read: Callable[[Path], Mapping[str, Any]]) -> bool:
    """Whether a file of a batch is there that was made the same way: by this code, with these options and inputs.

    Parameters
    ----------
    output
        The file. One that an unfinished batch has left behind under its second name gets this one.
    record
        What `oddjet.provenance.attributes.attributes` says of the file to be made.
    read
        Reads the record of a file of this kind.
    """
    for path in (_second_name(output), output) if _BATCH else ():
        try:
            found = read(path) if path.exists() else {}
        except Exception as error:  # noqa: BLE001  each damage raises another kind
            LOGGER.info("%s: made again, for its record cannot be read (%s)", path, " ".join(str(error).split()))
            continue
        if all(found.get(name) == record[name] for name in RECORD):
            path.replace(output)
            LOGGER.info("%s: kept, for it was made by this code with these options from these inputs", output)
            return True
    return False
