"""Every key of the configuration is changed in turn, and three verdicts are compared: which jobs Snakemake runs again,
which results `check_results` tells, and which rules docs/reruns.md names. So are the definitions that its first table
names: each is edited.

Snakemake's verdict is made as Snakemake makes it, from parameters and inputs of all jobs, without a dry run a key; a
few real dry runs check that. Nothing is run: the records of the results are what the rules give their programs, which
the tests of real results show to be so.
"""

import ast
import copy
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import snakemake.api
import yaml

from oddjet.config import Config, load_config
from oddjet.errors import ConfigError
from oddjet.jobs import Jobs
from oddjet.provenance import digest
from oddjet.results import Results

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reruns.md").read_text()
TINY = ("--configfile", "config/test/tiny.yaml")
TARGETS = ("all", "figures", "contamination", "images", "image_scores", "events", "experiments")
# Keys that real dry runs are asked about.
ASKED = (
    "seed",
    "label",
    "simulation.detector.track_pt_min",
    "samples.top.cross_section",
    "signals.r_inv",
    "features.softdrop.zcut",
    "dataset.range",
    "seeds",
    "seeds_per_job",
    "methods.wnae.loss.transport",
    "methods.mahalanobis.kind",
    "merit.seed",
    "evaluation.minimum_signal_jets",
)
# A table of the page for each target: what a key reruns is the union of what the tables say.
TABLES = [
    {
        key: set(re.findall(r"`([^`]+)`", rules))
        for key, rules in re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.MULTILINE)
    }
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)
    if re.match(r"[^\n]*hange this key, these rerun first\n", section)
]
# The tiny configuration with every key written out, those too that it leaves to their defaults.
WHOLE = load_config(yaml.safe_load((ROOT / "config/test/tiny.yaml").read_text())).model_dump(mode="json")
# The same with the roles reversed, for figure 13, so that every rule has a job.
REVERSED = copy.deepcopy(WHOLE)
REVERSED["samples"]["svj_reversed"] = {
    "process": {"name": "svj", "m_phi": 2000, "r_inv": 0.3},
    "events": 100,
}
REVERSED["analyses"] = {"reversed": {"background": ["svj_reversed"], "signals": ["top"], "methods": ["wnae"]}}
REVERSED["contamination"]["methods"] = ["ae", "mahalanobis"]
# No other value is possible by itself: the one background sample; kinds with settings of their own; keys that another
# one switches on; own files, which have tests of their own.
FIXED = re.compile(
    r"samples\.top\.kind|methods\.wnae_ensemble\.kind|images\.methods\.\w+\.kind|(images|events)\..*\.files"
    r"|images\.vae\.training\.learning_rate_end"
    r"|(events\.)?methods\.wnae\.(chain\.latent|loss\.negative_energy_square|loss\.train_temperature)"
)
# Values that must stay in step with others, or that name something.
TOGETHER = {
    "features.features": {"dataset.features": ["tau2"], "dataset.log_floors": {}},
    "dataset.fractions.train": {"dataset.fractions.test": 0.2},
    "dataset.fractions.validation": {"dataset.fractions.test": 0.2},
    "dataset.fractions.test": {"dataset.fractions.train": 0.45},
    "images.jets.fractions.train": {"images.jets.fractions.test": 0.35},
    "images.jets.fractions.validation": {"images.jets.fractions.test": 0.35},
    "images.jets.fractions.test": {"images.jets.fractions.train": 0.35},
    "events.background.w_lnu.fraction": {"events.background.z_ll.fraction": 0.15},
    "events.background.z_ll.fraction": {"events.background.w_lnu.fraction": 0.75},
}
NAMED = {
    "features.checksums": str(ROOT / "LICENSE"),
    "contamination.methods": ["ae", "mahalanobis", "nae"],
    "contamination.signals": ["svj_mphi-2000_rinv-0p1"],
    "analyses.reversed.background": ["svj_reversed", "svj_mphi-2000_rinv-0p1"],
    "analyses.reversed.signals": ["top", "svj_mphi-2000_rinv-0p1"],
    "analyses.reversed.columns": ["tau2", "tau3"],
    "analyses.reversed.methods": ["wnae", "ae"],
    "analyses.reversed.scan": {"wnae": {"training.epochs": [2]}},
    "analyses.reversed.dataset": {"range": [-2, 2]},
    "analyses.reversed.evaluation": {"minimum_signal_jets": 15},
    "analyses.reversed.seeds": [4],
    "analyses.reversed.seeds_per_job": 3,
    "images.vae.training.snapshot_epochs": [2],
}


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


def words(schema: object) -> Iterator[str]:
    """Give every word that the schema allows somewhere: one of them fits where another is taken out."""
    if isinstance(schema, dict):
        yield from [word for word in [*schema.get("enum", []), schema.get("const")] if isinstance(word, str)]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from words(part)


WORDS = sorted(set(words(Config.model_json_schema())))

pytestmark = pytest.mark.slow


def leaves(section: object, path: str = "") -> Iterator[str]:
    if isinstance(section, list) and section and isinstance(section[0], dict):
        section = {0: section[0]}
    if isinstance(section, dict):
        for key, value in section.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path


def keys() -> list[str]:
    # Methods are of one model, and reach one program: all keys of one, and what only another one has.
    others = re.compile(
        r"methods\.(ae|nae)\.(?!training\.epochs|loss\.(negative_energy_square|train_temperature))"
        r"|events\.methods\.(?!wnae\.(kind|training\.epochs))|images\.samples\.(top|w)\.(?!events)"
    )
    own = [key for key in NAMED if key.startswith("analyses.")]
    return own + [key for key in leaves(WHOLE) if not FIXED.fullmatch(key) and not others.match(key)]


def put(config: dict, path: str, value: object) -> None:
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        config = config[part]
    config[last] = value


def get(config: object, path: str) -> object:
    for part in path.split("."):
        config = config[int(part) if part.isdigit() else part]
    return config


def others(path: str, value: object) -> Iterator[object]:
    """Values to try in the place of one."""
    if path in NAMED:
        yield NAMED[path]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value + 0.05, value - 0.05, value * 2, value / 2)
    elif isinstance(value, list):
        numbers = value and all(isinstance(item, int | float) for item in value)
        yield from ([*value, value[-1] * 1.5], [*value, value[-1] + 1]) if numbers else ()
        yield value[:-1]
        yield from ([other, *value[1:]] for other in others(path, value[0]))
    elif value is None:
        yield from (1, 0.5, *WORDS)
    else:
        yield from WORDS
        yield f"{value} "


def changed(path: str, whole: dict = REVERSED) -> dict:
    """Change one key to the first value that fits and makes a difference."""
    before = load_config(whole).model_dump(mode="json")
    for value in others(path, NAMED.get(path) or get(whole, path)):
        config = copy.deepcopy(whole)
        put(config, path, value)
        for other, partner in TOGETHER.get(path, {}).items():
            put(config, other, partner)
        try:
            if load_config(config).model_dump(mode="json") != before:
                return config
        except ConfigError:
            continue
    pytest.fail(f"no other value of {path} fits: add one")


def line(key: str, table: dict[str, set[str]]) -> str | None:
    """Give the line that holds for a key: of those that fit the longest; `*` stands for one part."""
    parts = key.split(".")
    fitting = [
        row
        for row in table
        if len(row.split(".")) <= len(parts)
        and all(name in ("*", part) for name, part in zip(row.split("."), parts, strict=False))
    ]
    return max(fitting, key=lambda row: (row.count("."), -row.count("*")), default=None)


def named(key: str) -> set[str]:
    """Rules that the tables of the page name."""
    return set().union(*(table[row] for table in TABLES if (row := line(key, table)) is not None))


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
        (job,) = plan.jobs(file)
        rule = rules[job.rule]
        wildcards = rule.get_wildcards(file)
        inputs, outputs = rule.expand_input(wildcards)[0], rule.expand_output(wildcards)[0]
        values = rule.expand_params(wildcards, inputs, outputs, None)[1]
        one = Planned(job.rule, job.script, frozenset(job.inputs), job.outputs, frozenset(map(repr, values)))
        found |= dict.fromkeys(job.outputs, one)
        waiting += job.inputs
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


@pytest.fixture(scope="module")
def parsed_once():
    """Let Snakemake parse the text of each file of rules once: that is half the time of a plan."""
    parse, known = snakemake.workflow.parse, {}

    def remembered(snakefile, *arguments, linemap, rulecount):
        key = snakefile.get_path_or_uri(secret_free=False), rulecount
        if key not in known:
            lines = {}
            known[key] = (*parse(snakefile, *arguments, linemap=lines, rulecount=rulecount), lines)
        code, count, lines = known[key]
        linemap.update(lines)
        return code, count

    snakemake.workflow.parse = remembered
    yield
    snakemake.workflow.parse = parse


@pytest.fixture(scope="module")
def made(tmp_path_factory, parsed_once):
    """The jobs of the whole configuration, a folder with their records, and a function that plans another one."""
    folder = tmp_path_factory.mktemp("made")

    def plan(config: dict) -> Jobs:
        # JSON is YAML, and keeps 1e-5 a number.
        (folder / "changed.yaml").write_text(json.dumps(config))
        return Jobs(folder / "changed.yaml")

    first = plan(REVERSED)
    jobs = planned(first)
    for job in set(jobs.values()):
        (given,) = first.jobs(job.outputs[0])
        record = {
            "script": job.script,
            "code_digest": given.code_digest,
            "options": json.dumps(given.options),
            "inputs": {},
        }
        path = folder / f"{job.outputs[0]}.origin.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
    return SimpleNamespace(plan=plan, jobs=jobs, results=Results(folder / "results"))


def test_every_result_matches_before_a_change(made):
    again = made.plan(REVERSED)
    assert rerun(made.jobs, planned(again)) == (set(), set())
    results = made.results.check(again)
    assert len(results) == len(set(made.jobs.values())) > 170
    assert not [result for result in results if result.reasons]


@pytest.mark.parametrize("key", keys())
def test_a_key_reruns_what_the_page_says_and_is_told(made, key):
    plan = made.plan(changed(key))
    after = planned(plan)
    stale, first = rerun(made.jobs, after)
    told = named(key)
    assert {job.rule for job in first if not {job.rule, job.script} & told} == set()
    assert told <= {name for job in first for name in (job.rule, job.script)}
    if key.startswith("methods."):
        methods = {part for job in first for part in Path(job.outputs[0]).with_suffix("").parts}
        assert key.split(".")[1] in methods
    # Results that both configurations make: told by one as by the other.
    common = {job.outputs[0] for job in set(after.values())} & {job.outputs[0] for job in set(made.jobs.values())}
    no_longer = {result.name for result in made.results.check(plan) if result.reasons}
    assert no_longer & common == {job.outputs[0] for job in stale} & common


def test_images_that_come_from_files_now_are_told(made, tmp_path):
    config = copy.deepcopy(REVERSED)
    (tmp_path / "w.root").touch()
    config["images"]["samples"]["w"] = {"files": [str(tmp_path / "w.root")], "require_match": "w"}
    reasons = {result.name: result.reasons for result in made.results.check(made.plan(config))}
    assert reasons["results/images/tables/w/train.h5"] == ["the settings of make_images have changed (inputs)"]
    assert len(reasons["results/images/samples/w/0000.root"]) == 1
    assert reasons["results/images/samples/top/0000.root"] == []


def test_every_line_of_the_page_is_about_a_key():
    assert len(TABLES) == 6
    every = [key for key in (*leaves(WHOLE), *NAMED) if not FIXED.fullmatch(key) or key.endswith(".files")]
    for table in TABLES:
        assert {line(key, table) for key in every} - {None} == set(table)


@pytest.mark.parametrize("key", ASKED)
def test_a_dry_run_plans_the_same(finished, dry_runs, made, key):
    before, after = (made.plan(config) for config in (WHOLE, changed(key, WHOLE)))
    stale, first = rerun(*(planned(plan, files(plan, "all")) for plan in (before, after)))
    (finished.folder / "config/changed.yaml").write_text(json.dumps(changed(key, WHOLE)))
    jobs = dry_runs("--configfile", "config/changed.yaml")
    assert sorted(job.rule for job in jobs) == sorted(job.script for job in stale)
    assert sorted(job.rule for job in jobs if job.first) == sorted(job.script for job in first)


def test_writing_out_the_defaults_reruns_nothing(finished, dry_runs):
    (finished.folder / "config/changed.yaml").write_text(json.dumps(WHOLE))
    assert dry_runs("--configfile", "config/changed.yaml") == []


def test_two_numbers_that_trade_places_rerun(made):
    # Snakemake compares the values of a rule as a set.
    config = copy.deepcopy(REVERSED)
    config["seed"], config["samples"]["top"]["events"] = 250, 14
    _, first = rerun(made.jobs, planned(made.plan(config)))
    assert "simulate_sample" in {job.rule for job in first}


class Edit(NamedTuple):
    """A line of the page: the programs that rerun first, and of which methods where only some do."""

    stage: str
    definition: str
    file: str
    programs: set[str]
    methods: set[str]


def edits() -> list[Edit]:
    found = []
    section = PAGE.split("## Edit this, these rerun first\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        stage, edit, programs, methods = [cell.strip() for cell in line.split("|")[1:-1]] or [""] * 4
        if names := re.findall(r"`([^`]+)`", edit):
            programs, methods = (set(re.findall(r"`([^`]+)`", cell)) for cell in (programs, methods))
            found.append(Edit(stage, *names, programs, methods))
    return found


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the code, to be edited, whose digests are asked for."""
    folder = tmp_path_factory.mktemp("package")
    for part in ("src", "workflow"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest, "PACKAGE_FOLDER", folder / "src/oddjet")
        patch.setattr(digest, "SCRIPTS_FOLDER", folder / "workflow/scripts")
        yield folder


@pytest.fixture(scope="module")
def digested(made):
    """What each job's rule has digested, by job: script and modules."""
    with pytest.MonkeyPatch.context() as patch:
        # The rules import it when they are parsed.
        patch.setattr(digest, "code_digest", lambda *names: " ".join(names))
        plan = made.plan(REVERSED)
    return {job: tuple(plan.jobs(job.outputs[0])[0].code_digest.split()) for job in set(made.jobs.values())}


@pytest.fixture(scope="module")
def told_apart(made, digested, package):
    """Give a function: the jobs that an edit of a definition reruns, and of these the ones that rerun first."""
    codes = set(digested.values())
    digest.forget()
    before = {code: digest.code_digest(*code) for code in codes}

    def rerun_by(edit: Edit) -> tuple[set[Planned], set[Planned]]:
        with edited(package / edit.file, edit.definition):
            digest.forget()
            changed = {code for code in codes if digest.code_digest(*code) != before[code]}
        digest.forget()
        after = {
            name: job._replace(parameters=frozenset({"edited"})) if digested[job] in changed else job
            for name, job in made.jobs.items()
        }
        return rerun(made.jobs, after)

    return rerun_by


@pytest.mark.parametrize("edit", edits(), ids=lambda edit: edit.stage)
def test_an_edit_reruns_what_the_page_says(told_apart, edit):
    _, first = told_apart(edit)
    assert {job.script for job in first} == edit.programs
    if edit.methods:
        parts = {part for job in first for part in Path(job.outputs[0]).with_suffix("").parts}
        assert parts & set(WHOLE["methods"]) == edit.methods


def test_every_program_reruns_first_in_some_line(made):
    assert {job.script for job in made.jobs.values()} == {program for edit in edits() for program in edit.programs}


@pytest.mark.parametrize("stage", ["soft drop", "loss of the WNAE", "AUC"])
def test_a_dry_run_of_an_edit_plans_the_same(finished, dry_runs, made, told_apart, stage):
    (edit,) = [edit for edit in edits() if edit.stage == stage]
    wanted = set(planned(made.plan(WHOLE), files(made.plan(WHOLE), "all")))
    stale, first = ({job for job in jobs if wanted & set(job.outputs)} for jobs in told_apart(edit))
    with edited(finished.folder / edit.file, edit.definition):
        jobs = dry_runs(*TINY)
    assert sorted(job.rule for job in jobs) == sorted(job.script for job in stale)
    assert sorted(job.rule for job in jobs if job.first) == sorted(job.script for job in first)
