"""Every key of the configuration is changed in turn, and three verdicts are compared: which jobs Snakemake runs again,
which results `check_results` tells, and which rules docs/reruns.md names. So are the definitions that its first table
names: each is edited.

Snakemake's verdict is made as Snakemake makes it, from parameters and inputs of all jobs, without a dry run a key; a
few real dry runs check that. Nothing is run: the records of the results are what the rules give their programs, which
the tests of real results show to be so.
"""

import copy
import json
import re
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import snakemake.api

from config_keys import get, leaves, put, words
from oddjet.batches import stage_of
from oddjet.config import Config, load_config
from oddjet.configfile import read_configuration
from oddjet.errors import ConfigError
from oddjet.jobs import Jobs
from oddjet.provenance import digest
from oddjet.results import Results
from planned_jobs import Planned, edited, files, planned, rerun

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reruns.md").read_text()
TINY = ("--configfile", "config/test/tiny.yaml")
# Keys that real dry runs are asked about.
ASKED = (
    "seed",
    "label",
    "simulation.detector.track_pt_min",
    "samples.top.cross_section",
    "signals.r_inv",
    "features.softdrop.zcut",
    "dataset.range",
    "files_per_job",
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
        for keys, rules in re.findall(r"^\| (`[^|]+`) \| (.*) \|$", section, re.MULTILINE)
        for key in re.findall(r"`([^`]+)`", keys)
    }
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)
    if re.match(r"[^\n]*hange this key, these rerun first\n", section)
]
# The tiny configuration, and the same with methods that see images; every key is written out, those too that it leaves
# to their defaults.
FILES = [ROOT / "config/test" / name for name in ("tiny.yaml", "with_images.yaml")]
OWN, WHOLE = (load_config(read_configuration(files)).model_dump(mode="json") for files in (FILES[:1], FILES))
# The same with the roles reversed, for figure 13, and what limits need, so that every rule has a job.
REVERSED = copy.deepcopy(WHOLE)
REVERSED["samples"]["top"]["cross_section"] = 20.0
REVERSED["samples"]["svj_reversed"] = {
    "process": {"name": "svj", "m_phi": 2000, "r_inv": 0.3},
    "events": 100,
}
REVERSED["analyses"] = {"reversed": {"background": ["svj_reversed"], "signals": ["top"], "methods": ["wnae"]}}
REVERSED["contamination"]["methods"] = ["ae", "mahalanobis"]
# No other value is possible by itself: the one background sample; kinds with settings of their own; keys that another
# one switches on; own files, which have tests of their own.
FIXED = re.compile(
    r"samples\.top\.kind|methods\.(wnae_ensemble|image_\w+)\.kind|(images|events)\..*\.files"
    r"|images\.samples\.\w+\.(kind|cross_section)"
    r"|images\.vae\.training\.learning_rate_end"
    r"|(images\.vae|methods\.wnae)\.training\.(momentum|learning_rate_factor|learning_rate_floor)"
    r"|(events\.)?methods\.wnae\.(chain\.latent|loss\.negative_energy_square|loss\.train_temperature)"
)
# Keys that change some files of a batch and leave others as they are.
PARTLY = re.compile(r"files_per_job|(images\.)?samples\.\w+\.(events|parts)|signals\.(m_phi|r_inv|events|parts)")
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
PAYLOAD = {"file": str(ROOT / "LICENSE"), "name": "jec", "inputs": {"JetPt": "pt"}}
NAMED = {
    "limits.methods": ["wnae", "ae"],
    "features.corrections.jec": PAYLOAD,
    "features.corrections.jer": {"resolution": PAYLOAD, "scale_factor": PAYLOAD},
    "features.corrections.weights": {"own": {"nominal": "w"}},
    "samples.top.corrections": {"weights": {"own": {"nominal": "w"}}},
    "features.keep": {"met": "MET_pt"},
    "features.selection.events": "MET_pt > 10",
    "features.selection.jets": "pt > MET_pt",
    "samples.top.title": "top pairs",
    "samples.top.point": {"m_dark": 20},
    "heatmap.axes": {"m_phi": {"unit": "TeV"}},
    "heatmap.at": {"r_inv": 0.1},
    "heatmap.x": "r_inv",
    "heatmap.y": "m_phi",
    "analyses.reversed.heatmap": {"axes": {"m_dark": {"title": "dark mass"}}},
    "samples.top.where": "MET_pt > 10",
    "samples.top.selection.events": "MET_pt > 10",
    "samples.top.selection.jets": "pt > MET_pt",
    "merit.planed": ["mass"],
    "features.checksums": str(ROOT / "LICENSE"),
    "features.layout": "pfnano",
    "features.layouts": {"mine": {"tree": "t", "candidates": {"pt": "a", "eta": "b", "phi": "c"}}},
    "features.subleading_pt_min": 30,
    "features.prefixes": ["root://a.org/", "root://b.org/"],
    "files_per_job": 1,
    "contamination.methods": ["ae", "mahalanobis", "nae"],
    "contamination.signals": ["svj_mphi-2000_rinv-0p1"],
    "analyses.reversed.background": ["svj_reversed", "svj_mphi-2000_rinv-0p1"],
    "analyses.reversed.test_backgrounds": ["svj_mphi-2000_rinv-0p1"],
    "analyses.reversed.signals": ["top", "svj_mphi-2000_rinv-0p1"],
    "analyses.reversed.data": ["svj_mphi-2000_rinv-0p1"],
    "analyses.reversed.columns": ["tau2", "tau3"],
    "analyses.reversed.methods": ["wnae", "ae"],
    "analyses.reversed.scan": {"wnae": {"training.epochs": [2]}},
    "analyses.reversed.dataset": {"range": [-2, 2]},
    "analyses.reversed.evaluation": {"minimum_signal_jets": 15},
    "analyses.reversed.seeds": [4],
    "analyses.reversed.seeds_per_job": 3,
    "images.samples.qcd.where": "MET_pt > 10",
    "images.samples.qcd.selection.events": "MET_pt > 10",
    "images.samples.qcd.selection.jets": "pt > MET_pt",
    "images.samples.qcd.corrections": {"weights": {"own": {"nominal": "w"}}},
    "images.vae.training.snapshot_epochs": [2],
    "methods.wnae.title": "our WNAE",
    # Of one sample both are all of it; the training says what it asked for all the same.
    "methods.wnae.background": ["*"],
    "methods.mahalanobis.background": ["*"],
    "events.methods.wnae.title": "our WNAE",
}


WORDS = sorted(set(words(Config.model_json_schema())))

pytestmark = pytest.mark.slow


def keys() -> list[str]:
    # Methods are of one model, and reach one program: all keys of one, and what only another one has.
    others = re.compile(
        r"methods\.(ae|nae)\.(?!training\.epochs|loss\.(negative_energy_square|train_temperature))"
        r"|events\.methods\.(?!wnae\.(kind|training\.epochs))|images\.samples\.(top|w)\.(?!events)"
    )
    # Those too that are empty unless they are given.
    known = list(leaves(WHOLE))
    own = [key for key in NAMED if key not in known]
    return own + [key for key in known if not FIXED.fullmatch(key) and not others.match(key)]


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
    before = load_config(whole)
    for value in others(path, NAMED.get(path) or get(whole, path)):
        config = copy.deepcopy(whole)
        put(config, path, value)
        for other, partner in TOGETHER.get(path, {}).items():
            put(config, other, partner)
        try:
            if load_config(config) != before:
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


@pytest.fixture(scope="module")
def parsed_once():
    """Let Snakemake parse the text of each file of rules once, and ask each function once for its arguments.

    That is half the time of a plan.
    """
    parse, known = snakemake.workflow.parse, {}

    def remembered(snakefile, *arguments, linemap, rulecount):
        key = snakefile.get_path_or_uri(secret_free=False), rulecount
        if key not in known:
            lines = {}
            known[key] = (*parse(snakefile, *arguments, linemap=lines, rulecount=rulecount), lines)
        code, count, lines = known[key]
        linemap.update(lines)
        return code, count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snakemake.workflow, "parse", remembered)
        for module in (snakemake.common, snakemake.rules):
            patch.setattr(module, "get_function_params", lru_cache(snakemake.common.get_function_params))
        yield


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
    for output, job in jobs.items():
        (given,) = first.jobs(output)
        if given.outputs[0] != output:
            continue  # files that are written together have one record, each file of a batch its own
        record = {
            "script": job.script,
            "code_digest": given.code_digest,
            "options": json.dumps(given.options),
            "inputs": {},
        }
        path = folder / f"{output}.origin.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
    return SimpleNamespace(plan=plan, jobs=jobs, results=Results(folder / "results"))


def test_every_result_matches_before_a_change(made):
    again = made.plan(REVERSED)
    assert rerun(made.jobs, planned(again)) == (set(), set())
    results = made.results.check(again)
    assert len(results) >= len(set(made.jobs.values())) > 170
    assert not [result for result in results if result.reasons]


@pytest.mark.parametrize("key", keys())
def test_a_key_reruns_what_the_page_says_and_is_told(made, key):
    plan = made.plan(changed(key))
    after = planned(plan)
    stale, first = rerun(made.jobs, after)
    told = named(key)
    assert {job.rule for job in first if not {job.rule, job.script} & told} == set()
    assert told <= {name for job in first for name in (job.rule, job.script)}
    if key.startswith("methods.") and not key.endswith(".title"):
        methods = {part for job in first for part in Path(job.outputs[0]).with_suffix("").parts}
        assert key.split(".")[1] in methods
    # Results that both configurations make: told by one as by the other.
    common = {job.outputs[0] for job in set(after.values())} & {job.outputs[0] for job in set(made.jobs.values())}
    no_longer = {result.name for result in made.results.check(plan) if result.reasons}
    # Snakemake runs a batch for any of its files; the program keeps those that would be the same, and so it is told.
    kept = {file for job in stale for file in job.outputs if stage_of(job.rule) != job.rule} - no_longer
    rerunning = {job.outputs[0] for job in stale} & common
    assert no_longer & common <= rerunning
    assert kept or no_longer & common == rerunning
    assert not kept or PARTLY.fullmatch(key), kept


def test_images_that_come_from_files_now_are_told(made, tmp_path):
    config = copy.deepcopy(REVERSED)
    (tmp_path / "w.root").touch()
    config["images"]["samples"]["w"] = {"files": [str(tmp_path / "w.root")], "require_match": "w"}
    reasons = {result.name: result.reasons for result in made.results.check(made.plan(config))}
    assert reasons["results/images/tables/w/train.h5"] == ["the settings of make_images have changed (inputs)"]
    assert len(reasons["results/images/samples/w/0000.root"]) == 1
    assert reasons["results/images/samples/top/0000.root"] == []


def test_every_line_of_the_page_is_about_a_key():
    assert len(TABLES) == 7
    every = [key for key in (*leaves(WHOLE), *NAMED) if not FIXED.fullmatch(key) or key.endswith(".files")]
    for table in TABLES:
        assert {line(key, table) for key in every} - {None} == set(table)


@pytest.mark.parametrize("key", ASKED)
def test_a_dry_run_plans_the_same(finished, dry_runs, made, key):
    before, after = (made.plan(config) for config in (OWN, changed(key, OWN)))
    stale, first = rerun(*(planned(plan, files(plan, "all")) for plan in (before, after)))
    (finished.folder / "config/changed.yaml").write_text(json.dumps(changed(key, OWN)))
    jobs = dry_runs("--configfile", "config/changed.yaml")
    assert sorted(job.rule for job in jobs) == sorted(job.script for job in stale)
    assert sorted(job.rule for job in jobs if job.first) == sorted(job.script for job in first)


def test_writing_out_the_defaults_reruns_nothing(finished, dry_runs):
    (finished.folder / "config/changed.yaml").write_text(json.dumps(OWN))
    assert dry_runs("--configfile", "config/changed.yaml") == []


def test_two_numbers_that_trade_places_rerun(made):
    # Snakemake compares the values of a rule as a set.
    config = copy.deepcopy(REVERSED)
    config["seed"], config["samples"]["top"]["events"] = 250, 14
    _, first = rerun(made.jobs, planned(made.plan(config)))
    assert "simulate_sample_top_0000" in {job.rule for job in first}


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
        stages, definitions, *rest = [cell.strip() for cell in line.split("|")[1:-1]] or [""] * 4
        programs, methods = (set(re.findall(r"`([^`]+)`", cell)) for cell in rest)
        if definitions == "`main` in its script":
            found += [Edit(name, "main", f"workflow/scripts/{name}.py", {name}, set()) for name in sorted(programs)]
        elif "`" in definitions:
            for stage, edit in zip(stages.split("; "), definitions.split("; "), strict=True):
                found.append(Edit(stage, *re.findall(r"`([^`]+)`", edit), programs, methods))
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


@pytest.mark.parametrize("stage", ["soft drop", "loss of the WNAE", "evaluate"])
def test_a_dry_run_of_an_edit_plans_the_same(finished, dry_runs, made, told_apart, stage):
    (edit,) = [edit for edit in edits() if edit.stage == stage]
    wanted = set(planned(made.plan(OWN), files(made.plan(OWN), "all")))
    stale, first = ({job for job in jobs if wanted & set(job.outputs)} for jobs in told_apart(edit))
    with edited(finished.folder / edit.file, edit.definition):
        jobs = dry_runs(*TINY)
    assert sorted(job.rule for job in jobs) == sorted(job.script for job in stale)
    assert sorted(job.rule for job in jobs if job.first) == sorted(job.script for job in first)
