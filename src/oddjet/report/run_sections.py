"""What the report says of the run behind its analyses: what was read, settings, versions, time and memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from oddjet.errors import TableError
from oddjet.io.cutflow import CLAUSE
from oddjet.report.findings import Run
from oddjet.report.html import Block, Cell, Code, Section, Table, Text

STAGES = {
    "events_read": "events read",
    "events_bad_candidate": "bad candidate",
    "events_bad_jet": "bad stored jet",
    "events_bad_particle": "bad generator particle",
    "events_not_certified": "not certified",
    "events_cut": "cut on events",
    "events_without_candidates": "no candidate",
    "events_without_selected_jet": "no jet left",
    "events_passed": "events passed",
    "jets_clustered": "jets clustered",
    "jets_pt_low": "pT too low",
    "jets_pt_high": "pT too high",
    "jets_eta": "|eta| too large",
    "jets_rank": "not leading",
    "jets_subleading_pt_low": "no second jet above its least pT",
    "jets_unmatched": "no match",
    "jets_not_in_file": "no jet of the file",
    "jets_cut": "cut on jets",
    "jets_passed": "jets passed",
    "luminosity_blocks_read": "blocks read",
    "luminosity_blocks_certified": "blocks certified",
}


def input_section(run: Run) -> Section:
    """Return what became of every event, jet and file that was read."""
    return Section("input", "What was read", _input(run))


def run_sections(run: Run) -> list[Section]:
    """Return settings, versions and costs.

    Raises
    ------
    TableError
        The origin of a leaderboard cannot be read.
    """
    return [
        Section("settings", "Settings", _settings(run)),
        Section("origin", "Versions and digests", _origin(run)),
        Section("cost", "Time and memory", _costs(run)),
    ]


def _input(run: Run) -> list[Block]:
    stages = _stages(run)
    rows = [
        [
            Cell(sample),
            *(Cell(f"{counts[name]:g}", counts[name]) if name in counts else Cell("-") for name in stages),
        ]
        for sample, counts in ((sample, dict(flow)) for sample, flow in run.cutflow.items())
    ]
    head = ["sample", *stages.values()]
    blocks: list[Block] = [Table("What became of every event and jet", head, rows)]
    bad = [
        [Cell(sample), Cell(str(file["path"])), Cell(str(file["reason"]))]
        for sample, files in run.bad_files.items()
        for file in files
    ]
    if bad:
        return [*blocks, Table("Skipped files", ["sample", "file", "reason"], bad)]
    return [*blocks, Text(["No file was skipped."])]


def _stages(run: Run) -> dict[str, str]:
    """Return the counts of all cutflows in the order of the cuts, and their words; a clause is a count of its own."""
    names = list(dict.fromkeys(name for flow in run.cutflow.values() for name, _ in flow))
    stages = {}
    for kind, words in STAGES.items():
        for name in names:
            start, _, clause = name.partition(CLAUSE)
            if start == kind:
                stages[name] = f"{words}: {clause}" if clause else words
    return stages


def _settings(run: Run) -> list[Block]:
    if run.configuration is None:
        return [Text(["The results folder holds no run.json, which has the configuration."])]
    text = yaml.safe_dump(dict(run.configuration), sort_keys=False, allow_unicode=True)
    return [Code("The whole configuration, with all defaults", text)]


def _origin(run: Run) -> list[Block]:
    facts = {findings.analysis: _facts(findings.analysis, findings.record) for findings in run.analyses}
    alike = all(found.versions == next(iter(facts.values())).versions for found in facts.values())
    names = [next(iter(facts))] if alike else list(facts)
    versions = [
        [Cell(what), *(Cell(facts[name].versions.get(what, "-")) for name in names)]
        for what in dict.fromkeys(what for found in facts.values() for what in found.versions)
    ]
    head = ["what", *(["version"] if alike else names)]
    digests = [[Cell(name), Cell(digest)] for found in facts.values() for name, digest in found.inputs.items()]
    made = "the leaderboard" if len(facts) == 1 else "the leaderboards"
    from_what = "it was" if len(facts) == 1 else "they were"
    return [
        Table(f"Versions that made {made}", head, versions),
        Table(f"SHA-256 of the tables that {from_what} made from", ["file", "SHA-256"], digests, folded=True),
    ]


class _Facts(NamedTuple):
    """Versions by what they are of, and digests of inputs."""

    versions: dict[str, str]
    inputs: dict[str, str]


def _facts(analysis: str, record: Mapping[str, Any]) -> _Facts:
    try:
        packages, inputs = json.loads(record["packages"]), json.loads(record["inputs"])
        own = {name: str(record[name]) for name in ("oddjet_version", "code_digest", "processor")}
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(
            f"the origin of leaderboard.csv of {analysis} cannot be read ({error!r}); make the leaderboard again"
        ) from error
    return _Facts({**own, **{name: str(version) for name, version in packages.items()}}, dict(inputs))


def _costs(run: Run) -> list[Block]:
    if not run.costs:
        return [Text(["The results folder holds no benchmarks of these jobs."])]
    rows = [
        [
            Cell(cost.rule),
            Cell(str(cost.jobs), cost.jobs),
            Cell(f"{cost.seconds:.1f}", cost.seconds),
            Cell(f"{cost.processor:.1f}", cost.processor),
            Cell(f"{cost.memory:.0f}", cost.memory),
        ]
        for cost in run.costs
    ]
    head = ["rule", "jobs", "wall time [s]", "processor time [s]", "largest memory [MB]"]
    return [Table("What the jobs of each rule took the last time that they ran", head, rows)]
