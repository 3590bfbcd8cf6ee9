"""Run time and memory of the jobs of a run, from the files that Snakemake writes for each."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What the jobs of one rule took: wall and processor time (s) in sum, memory (MB) of the largest."""

    rule: str
    jobs: int
    seconds: float
    processor: float
    memory: float


def read_costs(folder: Path, names: Collection[str] | None = None) -> list[Cost]:
    """Read the costs of rules, in order of time.

    The files are `RULE.tsv`, `RULE/NAME.tsv` or `RULE/NAME/...tsv`. A rule without a file, and a file that cannot be
    read, is left out: costs are no result.

    Parameters
    ----------
    folder
        Where Snakemake writes benchmarks.
    names
        Of these alone (an analysis, its samples); left out: of all jobs.
    """
    jobs: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.tsv")):
        rule, *rest = path.relative_to(folder).with_suffix("").parts
        if names is not None and (not rest or rest[0] not in names):
            continue
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = [
                    (float(row["s"]), _number(row["cpu_time"]), _number(row["max_rss"]))
                    for row in csv.DictReader(file, delimiter="\t")
                ]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        jobs[rule] += rows
    found = []
    for rule, measured in jobs.items():
        if measured:
            seconds, processor, memory = zip(*measured, strict=True)
            found.append(Cost(rule, len(measured), sum(seconds), sum(processor), max(memory)))
    return sorted(found, key=lambda cost: -cost.seconds)


def _number(text: str) -> float:
    """Read a number; Snakemake writes NA or a dash for what it could not measure, 0 here."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
