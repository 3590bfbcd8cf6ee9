"""Jobs as Snakemake compares them between two plans, without a dry run, and an edit of the code to plan with."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from oddjet.jobs import Jobs

PUBLISHED = ("bundle", "hepdata", "limits", "flatness", "abcd")
TARGETS = ("all", "figures", "contamination", "images", "events", "experiments", *PUBLISHED)


class Planned(NamedTuple):
    """A job as Snakemake compares it: the values of its parameters and the names of its inputs are sets."""

    rule: str
    script: str
    inputs: frozenset[str]
    outputs: tuple[str, ...]
    parameters: frozenset[str]


def files(plan: Jobs, *targets: str) -> list[str]:
    return [str(file) for rule in plan.rules if rule.name in targets for file in rule.expand_input({})[0]]


def planned(plan: Jobs, wanted: list[str] | None = None) -> dict[str, Planned]:
    """Give the job behind each wanted file (left out: those of all targets) and behind what these are made from."""
    rules = {rule.name: rule for rule in plan.rules}
    waiting = files(plan, *TARGETS) if wanted is None else list(wanted)
    found: dict[str, Planned] = {}
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        jobs = plan.jobs(file)
        if not jobs and Path(file).is_file():  # the user's own, as a payload of corrections
            continue
        (job,) = jobs
        filled = plan.filled(rules[job.rule], file)
        # Of a batch of files all, where the plan says what makes this one.
        read, made = [str(path) for path in filled.inputs if not path.is_ancient], tuple(map(str, filled.outputs))
        one = Planned(job.rule, job.script, frozenset(read), made, frozenset(map(repr, filled.values)))
        found |= dict.fromkeys(made, one)
        waiting += read
    return found


def rerun(before: dict[str, Planned], after: dict[str, Planned]) -> tuple[set[Planned], set[Planned]]:
    """Give the jobs that Snakemake would run, and of these the ones that run for a change of their own."""
    own = {
        job
        for file, job in after.items()
        if file not in before or (job.parameters, job.inputs) != (before[file].parameters, before[file].inputs)
    }
    stale, waiting = set(own), True
    while waiting:
        more = {job for job in set(after.values()) - stale if any(after.get(file) in stale for file in job.inputs)}
        stale |= more
        waiting = bool(more)
    return stale, {job for job in own if not any(after.get(file) in stale for file in job.inputs)}


@contextmanager
def edited(path: Path, definition: str) -> Iterator[None]:
    """Put a statement into a function or class, and take it out again."""
    before = path.read_text()
    (found,) = [node for node in ast.parse(before).body if getattr(node, "name", None) == definition]
    last = found.body[-1]
    decorators = getattr(last, "decorator_list", [])
    only_docstring = len(found.body) == 1 and ast.get_docstring(found) is not None
    place = last.end_lineno if only_docstring else min(part.lineno for part in [last, *decorators]) - 1
    lines = before.splitlines()
    lines.insert(place, " " * last.col_offset + "EDITED = 1")
    path.write_text("\n".join(lines) + "\n")
    try:
        yield
    finally:
        path.write_text(before)
