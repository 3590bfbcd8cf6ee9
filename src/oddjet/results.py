"""Whether results still match the code, the configuration and their inputs, told from the records inside them.

Snakemake knows it from its own notes in `.snakemake/`; a folder that was moved without them can be asked here. What a
result should be made from, the rules themselves say (`oddjet.jobs`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oddjet.errors import InputFileError, ResultsError, TableError
from oddjet.io.origin import SUFFIX
from oddjet.io.tables import read_attributes
from oddjet.jobs import Jobs, PlannedJob
from oddjet.provenance.attributes import file_digest

# What the rules call the folder, wherever it lies now.
NAME = "results"


@dataclass
class Result:
    """A file (or several that were written together) and what it says that it was made from.

    Attributes
    ----------
    path
        The file; of several the first.
    name
        As the rules name it, `results/...`.
    origin
        Its record; empty where there is none that can be read.
    reasons
        Why it no longer matches.
    """

    path: Path
    name: str
    origin: dict[str, Any]
    reasons: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of each input by its name."""
        given = self.origin["inputs"]
        return dict(json.loads(given) if isinstance(given, str) else given)


class Results:
    """All results below a folder; each file is read once, however many configurations they are compared with.

    Parameters
    ----------
    folder
        A results folder, wherever it lies; inputs that are named `results/...` are looked for in it.

    Raises
    ------
    ResultsError
        The folder does not exist, or holds no result.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found = list(self._find())
        self._digests: dict[Path, str | None] = {}
        if not self._found:
            raise ResultsError(f"{folder}: no results here. Give the folder that holds features/, models/, scores/.")

    def check(self, plan: Jobs) -> list[Result]:
        """Compare every result with the code, the configuration and the inputs of today.

        Parameters
        ----------
        plan
            The rules under the configuration that the results should be of.

        Returns
        -------
        All results, by path; those that no longer match have `reasons`.
        """
        results = [Result(one.path, one.name, one.origin, list(one.reasons)) for one in self._found]
        jobs: dict[str, PlannedJob] = {}
        for result in results:
            if not result.origin:
                continue
            planned = plan.jobs(result.name)
            job = next((job for job in planned if job.script == result.origin["script"]), None)
            if job is None:
                result.reasons.append(_unplanned(result, planned))
            else:
                jobs[result.name] = job
                result.reasons += [*_code(result, job), *_options(result, job)]
            result.reasons += [*self._outputs(result), *self._inputs(result)]
        _pass_on(results, jobs)
        return sorted(results, key=lambda result: result.path)

    def _find(self) -> Iterator[Result]:
        """Read the record of everything below the folder; of a file without one, that is the reason."""
        for path in sorted(self.folder.rglob("*")):
            if path.name.startswith(".tmp-"):
                yield self._result(path, {}, "half-written: remove it")
            elif path.suffix in READERS and "checkpoints" not in path.parts:
                yield self._read(path, path)
            elif path.name.endswith(SUFFIX):
                yield self._read(path, path.with_name(path.name.removesuffix(SUFFIX)))

    def _read(self, path: Path, described: Path) -> Result:
        try:
            return self._result(described, _checked(READERS.get(path.suffix, _read_record)(path)))
        except Exception as error:  # noqa: BLE001  each damage raises another kind
            what = " ".join(f"{type(error).__name__}: {error}".split())
            return self._result(described, {}, f"cannot be read ({what})")

    def _result(self, path: Path, origin: dict[str, Any], *reasons: str) -> Result:
        return Result(path, f"{NAME}/{path.relative_to(self.folder)}", origin, list(reasons))

    def _outputs(self, result: Result) -> Iterator[str]:
        for name, digest in result.origin.get("outputs", {}).items():
            now = self._digest(result.path.with_name(name))
            if now is None:
                yield f"{name} is missing"
            elif now != digest:
                yield f"{name} is not the file that was written"

    def _inputs(self, result: Result) -> Iterator[str]:
        for name, digest in result.inputs.items():
            path = Path(name)
            now = self._digest(self.folder / path.relative_to(NAME) if path.parts[0] == NAME else path)
            if now is None:
                yield f"its input {name} is missing"
            elif now != digest:
                yield f"its input {name} has changed"

    def _digest(self, path: Path) -> str | None:
        if path not in self._digests:
            try:
                self._digests[path] = file_digest(path)
            except InputFileError:
                self._digests[path] = None
        return self._digests[path]


def _read_table(path: Path) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    try:
        attributes |= read_attributes(path)
    except TableError:
        from oddjet.events.layout import read_event_attributes

        try:
            attributes |= read_event_attributes(path)
        except TableError:
            attributes.clear()
        if not attributes:
            raise
    if "code_digest" not in attributes:
        raise TableError(f"{path}: no digest in its attributes")
    return attributes


def _read_root(path: Path) -> dict[str, Any]:
    from oddjet.io.trees import read_metadata  # imports uproot

    return read_metadata(path)


def _read_model(path: Path) -> dict[str, Any]:
    from oddjet.io.tensors import read_tensors

    return dict(json.loads(read_tensors(path)["metadata"])["provenance"])


def _read_record(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _checked(origin: dict[str, Any]) -> dict[str, Any]:
    """Return a record that says what is asked of it; raise KeyError, TypeError or ValueError for another one."""
    made_from = {"inputs": origin["inputs"], "options": origin.get("options", {}), "outputs": origin.get("outputs", {})}
    for name, given in made_from.items():
        if not isinstance(json.loads(given) if isinstance(given, str) else given, dict):
            raise TypeError(f"its {name} are no mapping")
    if not all(isinstance(origin[name], str) for name in ("script", "code_digest")):
        raise TypeError("its script and digest are no texts")
    return origin


READERS = {".h5": _read_table, ".root": _read_root, ".pt": _read_model}


def _unplanned(result: Result, planned: Sequence[PlannedJob]) -> str:
    if planned:
        return f"{result.origin['script']} made it, and the configuration has it made by {planned[0].script}"
    return "the configuration has no such sample, method, group or file"


def _code(result: Result, job: PlannedJob) -> Iterator[str]:
    if result.origin["code_digest"] != job.code_digest:
        yield f"the code of {job.script} has changed"


def _options(result: Result, job: PlannedJob) -> Iterator[str]:
    """Compare what the program was given with what it would be given; order and spaces of JSON do not count."""
    if "options" not in result.origin:
        yield f"its record does not say what {job.script} was given"
        return
    changed = sorted(_changed(json.loads(result.origin["options"]), job.options))
    if changed:
        yield f"the settings of {job.script} have changed ({', '.join(changed)})"


def _changed(given: dict[str, Any], wanted: dict[str, Any], above: str = "") -> Iterator[str]:
    """Name what differs between two mappings, with dots for mappings in mappings; `settings` goes without its name."""
    for name in sorted({*given, *wanted}):
        path = f"{above}.{name}" if above else name
        one, other = (_single(mapping.get(name)) for mapping in (given, wanted))
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _changed(one, other, "" if path == "settings" else path)
        elif one != other:
            yield path


def _single(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _pass_on(results: list[Result], jobs: dict[str, PlannedJob]) -> None:
    """Let what is made from a result that no longer matches not match either."""
    # A job makes all of its outputs again: those too that have no record of their own.
    stale = {
        name
        for result in results
        if result.reasons
        for name in (result.name, *(jobs[result.name].outputs if result.name in jobs else ()))
    }
    spreading = True
    while spreading:
        spreading = False
        for result in results:
            if result.reasons or not result.origin:
                continue
            job = jobs[result.name]
            source = next((name for name in (*result.inputs, *job.inputs) if name in stale), None)
            if source is not None:
                result.reasons.append(f"its input {source} no longer matches")
                stale |= {result.name, *job.outputs}
                spreading = True
