"""An edit reruns what it feeds and nothing else; the tables of `docs/reruns.md` say what that is."""

import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

DOCS = (Path(__file__).parents[2] / "docs/reruns.md").read_text()
TRAINED = ("ae", "nae", "wnae")
BASELINES = ("mahalanobis",)
# Ensemble to the member with which it reruns.
ENSEMBLES = {"wnae_ensemble": "wnae"}
METHODS = {"all": (*TRAINED, *BASELINES), "trained": TRAINED, "baselines": BASELINES, "ensembles": tuple(ENSEMBLES)}
# Rules that only some methods go through.
SERVED = {"train_model": TRAINED, "monitor_training": TRAINED, "plot_training": TRAINED, "fit_baseline": BASELINES}
SERVED |= {"score_samples": (*TRAINED, *BASELINES), "score_ensemble": tuple(ENSEMBLES)}
# Those that have a job for each method; the others have none, or one for several.
SERVED |= dict.fromkeys(("compute_auc", "compute_merit", "plot_heatmap"), METHODS["all"] + METHODS["ensembles"])
TINY = ("--configfile", "config/test/tiny.yaml")

pytestmark = pytest.mark.slow


def table(heading: str) -> list[list[str]]:
    """Rows of the first table under a heading of the page."""
    lines = DOCS.split(f"## {heading}\n")[1].split("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@contextmanager
def edited(space, name: str, change):
    path = space.folder / name
    before = path.read_text()
    path.write_text(change(before))
    try:
        yield
    finally:
        path.write_text(before)


def append(text: str):
    return lambda before: f"{before}\n{text}\n"


@pytest.mark.parametrize("row", table("Edit this, these rerun"), ids=lambda row: row[0])
def test_an_edit_reruns_what_it_feeds(finished, dry_runs, row):
    _, file, rules, methods = row
    touched = set(METHODS[methods] if methods in METHODS else methods.split(", "))
    touched |= {name for name, member in ENSEMBLES.items() if member in touched}
    with edited(finished, *names(file), append("EDITED = 1")):
        jobs = dry_runs(*TINY)
    assert {job.rule for job in jobs} == set(names(rules))
    for rule in names(rules):
        served = touched & set(SERVED[rule]) if rule in SERVED else {None}
        assert {job.method for job in jobs if job.rule == rule} == served, rule


def test_every_rule_has_a_row():
    text = "\n".join(path.read_text() for path in (Path(__file__).parents[2] / "rules").glob("*.smk"))
    # Targets have no output; a rule that uses another one has that one's row, or its own.
    blocks = re.split(r"^(?=rule |use rule )", text, flags=re.MULTILINE)[1:]
    rules = {
        re.match(r"rule (\w+)", block)[1] for block in blocks if block.startswith("rule ") and "\n    output:" in block
    }
    used = {re.match(r"use rule \w+ as (\w+)", block)[1] for block in blocks if block.startswith("use ")}
    headings = re.findall(r"^## (.*dit this, these rerun)$", DOCS, re.MULTILINE)
    rows = {names(row[2])[0] for heading in headings for row in table(heading)}
    assert rules <= rows <= rules | used, (rules - rows, rows - rules - used)


def test_nothing_reruns_for_comments_docstrings_and_touch(finished, dry_runs):
    module = "src/oddjet/jets/grooming.py"
    with edited(finished, module, append("# A comment.")):
        assert dry_runs(*TINY) == []
    with edited(finished, module, lambda text: text.replace('"""', '"""Told anew. ', 1)):
        assert dry_runs(*TINY) == []
    for path in [*finished.folder.rglob("*.py"), *finished.folder.rglob("*.smk")]:
        path.touch()
    assert dry_runs(*TINY) == []


def test_nothing_reruns_after_another_branch_was_checked_out(finished, dry_runs):
    def git(*arguments):
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=finished.folder, check=True, capture_output=True)

    def commit():
        git("add", "src", "rules", "workflow")
        git("commit", "--message", "state")

    git("init", "--initial-branch=main")
    commit()
    git("checkout", "-b", "other")
    path = finished.folder / "src/oddjet/jets/grooming.py"
    path.write_text(path.read_text() + "\nEDITED = 1\n")
    commit()
    assert {job.rule for job in dry_runs(*TINY)} >= {"extract_features"}
    git("checkout", "main")
    assert dry_runs(*TINY) == []


def test_a_module_that_is_imported_newly_counts(finished, dry_runs):
    # The program imports jets.extract, that imports jets.features, and that imports jets.grooming.
    added = finished.folder / "src/oddjet/jets/added.py"
    try:
        added.write_text("VALUE = 1\n")
        assert dry_runs(*TINY) == []
        with edited(finished, "src/oddjet/jets/grooming.py", append("from oddjet.jets import added")):
            first = dry_runs(*TINY)
            added.write_text("VALUE = 2\n")
            second = dry_runs(*TINY)
    finally:
        added.unlink()
    reasons = [[job.reason for job in jobs if job.rule == "extract_features"] for jobs in (first, second)]
    assert "simulate_sample" not in {job.rule for job in second}
    assert reasons[0]
    assert reasons[0] != reasons[1]
