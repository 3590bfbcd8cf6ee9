"""What is no change reruns nothing, in real dry runs; test_workflow_config_keys.py asks what edits and keys rerun."""

import subprocess
from contextlib import contextmanager

import pytest

TINY = ("--configfile", "config/test/tiny.yaml")

pytestmark = pytest.mark.slow


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


def test_nothing_reruns_for_comments_docstrings_neighbours_and_touch(finished, dry_runs):
    module = "src/oddjet/jets/grooming.py"
    with edited(finished, module, append("# A comment.")):
        assert dry_runs(*TINY) == []
    # What nobody uses, at the end of a module that others import.
    with edited(finished, module, append("EDITED = 1")):
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
    path.write_text(path.read_text() + "\nassert True\n")
    commit()
    assert {job.rule for job in dry_runs(*TINY)} >= {"extract_features"}
    git("checkout", "main")
    assert dry_runs(*TINY) == []


def test_a_module_that_is_imported_newly_counts(finished, dry_runs):
    # The program imports jets.extract, that imports jets.features, and that imports jets.grooming.
    added = finished.folder / "src/oddjet/jets/added.py"
    try:
        added.write_text("assert 1\n")
        assert dry_runs(*TINY) == []
        with edited(finished, "src/oddjet/jets/grooming.py", append("from oddjet.jets import added")):
            first = dry_runs(*TINY)
            added.write_text("assert 2\n")
            second = dry_runs(*TINY)
    finally:
        added.unlink()
    reasons = [[job.reason for job in jobs if job.rule == "extract_features"] for jobs in (first, second)]
    assert "simulate_sample" not in {job.rule for job in second}
    assert reasons[0]
    assert reasons[0] != reasons[1]
