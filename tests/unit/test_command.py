"""The command `oddjet`: its examples, its outputs, its errors, and the wheel that brings it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import torch
import uproot

import oddjet
from http_server import served
from oddjet.cli.main import COMMANDS, EXAMPLE
from oddjet.io.tables import read_attributes, read_table
from oddjet.provenance.attributes import file_digest
from programs import run_command

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "oddjet.cli.main"]


def run(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, words)], cwd=folder, capture_output=True, text=True, check=False)


def refused(folder: Path, *words: object) -> str:
    done = run_command(folder, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


@pytest.fixture(scope="module")
def desk(tmp_path_factory, small_analysis, top_root) -> Path:
    """A folder with what the examples name, and no repository."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "data").mkdir()
    shutil.copy(top_root, folder / "events.root")
    shutil.copy(top_root, folder / "data")
    model = folder / "results/jets/models/wnae/seeds-1-2/model.pt"
    model.parent.mkdir(parents=True)
    shutil.copy(small_analysis / "models/ae/model.pt", model)
    shutil.copy(model, folder)
    return folder


def examples() -> list[str]:
    texts = [EXAMPLE, *(command.example for command in COMMANDS.values())]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    # A remote file is not here, as a local server has it below; that of a whole workflow runs in test_forecast.py.
    return [line for line in lines if "root://" not in line and " forecast " not in line]


def test_the_examples_of_help_work_one_after_the_other(desk):
    shutil.copytree(ROOT / "config", desk / "config", dirs_exist_ok=True)
    for example in examples():
        words = shlex.split(example)[1:]
        done = run(desk, *words)
        assert done.returncode == 0, f"{example}\n{done.stderr}"
    for name, command in COMMANDS.items():
        shown = run_command(desk, name, "--help").stdout
        assert " ".join(command.example.split()) in " ".join(shown.split())


def test_all_formats_hold_the_same_scores(desk, tmp_path):
    tagger = oddjet.load(desk / "model.pt")
    for suffix in ("root", "h5"):
        done = run_command(desk, "score", "events.root", "--detector", "model.pt", "--to", tmp_path / f"s.{suffix}")
        assert done.returncode == 0, done.stderr
    table = read_table(tmp_path / "s.h5")
    assert 20 < table["in_window"].sum() < len(table)
    assert read_attributes(tmp_path / "s.h5")["detector_sha256"] == file_digest(desk / "model.pt")
    with uproot.open({tmp_path / "s.root": "oddjet"}) as tree, uproot.open({desk / "events.root": "Events"}) as events:
        assert tree.num_entries == events.num_entries
        numbers = tree.arrays(["run", "luminosityBlock", "event"])
        for name in numbers.fields:
            np.testing.assert_array_equal(numbers[name], events[name].array())
        friend = tree.arrays()
    for place, seed in enumerate(tagger.detector.seeds):
        np.testing.assert_array_equal(ak.flatten(friend[f"jet_score_seed{seed}"]), table["score"][:, place])
    for name in ("pt", "mean_score", "in_window", "jet_rank"):
        np.testing.assert_array_equal(ak.flatten(friend[f"jet_{name.removeprefix('jet_')}"]), table[name])
    np.testing.assert_array_equal(ak.num(friend["jet_pt"]), np.bincount(table["entry"], minlength=len(friend)))
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    done = run_command(desk, "score", "events.root", "--detector", "model.pt", "--to", tmp_path / "s.parquet")
    assert done.returncode == 0, done.stderr
    flat = ak.from_parquet(tmp_path / "s.parquet")
    for place, seed in enumerate(tagger.detector.seeds):
        np.testing.assert_array_equal(flat[f"score_seed{seed}"], table["score"][:, place])
    for name in ("pt", "mean_score", "in_window", "jet_rank", "event"):
        np.testing.assert_array_equal(flat[name], table[name])


def test_a_scored_file_has_no_letters_for_root(desk, tmp_path):
    """A leaf of one byte is a letter, and `jet_in_window == 1` no formula; ROOT itself where it is installed."""
    done = run_command(desk, "score", "events.root", "--detector", "model.pt", "--to", tmp_path / "s.root")
    assert done.returncode == 0, done.stderr
    with uproot.open({tmp_path / "s.root": "oddjet"}) as tree:
        assert not [name for name, kind in tree.typenames().items() if "int8" in kind or "char" in kind]
        expected = int(ak.sum(tree["jet_in_window"].array() == 1))
    root = pytest.importorskip("ROOT", reason="ROOT is not installed")
    chain = root.TChain("Events")
    chain.Add(str(desk / "events.root"))
    chain.AddFriend("oddjet", str(tmp_path / "s.root"))
    assert chain.Draw("jet_mean_score", "jet_in_window == 1", "goff") == expected


def test_the_score_is_that_of_the_feature_stage(desk, tmp_path):
    run_command(desk, "score", "events.root", "--detector", "model.pt", "--to", tmp_path / "s.h5")
    assert run_command(desk, "features", "events.root", "--to", tmp_path / "f.h5").returncode == 0
    scored = read_table(tmp_path / "s.h5")
    inside = scored[scored["in_window"] == 1]
    expected = oddjet.load(desk / "model.pt").score(read_table(tmp_path / "f.h5"))
    np.testing.assert_array_equal(inside["score"], expected["score"])


def test_a_remote_file_scores_as_the_local_one(desk, tmp_path):
    pytest.importorskip("aiohttp", reason="reading http(s):// needs the package aiohttp")
    with served(desk) as port:
        there = f"http://127.0.0.1:{port}/events.root"
        done = run_command(desk, "score", there, "--detector", "model.pt", "--to", tmp_path / "remote.h5")
        assert done.returncode == 0, done.stderr
        line = refused(desk, "score", there.replace("events", "none"), "--detector", "model.pt", "--to", "none.h5")
    assert "none.root: no such file" in line
    assert not (desk / "none.h5").exists()
    done = run_command(desk, "score", "events.root", "--detector", "model.pt", "--to", tmp_path / "local.h5")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(read_table(tmp_path / "remote.h5"), read_table(tmp_path / "local.h5"))
    assert read_attributes(tmp_path / "remote.h5")["files"] == f'["{there}"]'


def test_bad_input_is_one_line(desk, tmp_path):
    data = Path(os.environ.get("ODDJET_TEST_DATA", "/nowhere"))
    score = ("score", "events.root", "--detector")
    assert "scores are written to a file that ends in" in refused(desk, *score, "model.pt", "--to", "scores.txt")
    assert "no such model file" in refused(desk, *score, "nothing.pt")
    assert "none*.root" in refused(desk, "score", "none*.root", "--detector", "model.pt")
    if (data / "cms_nanoaod_no_candidates.root").is_file():
        line = refused(desk, "score", data / "cms_nanoaod_no_candidates.root", "--detector", "model.pt")
        assert "no layout fits" in line
    raw = bytearray((desk / "model.pt").read_bytes())
    (tmp_path / "cut.pt").write_bytes(raw[: len(raw) // 2])
    assert "not a model file, or damaged" in refused(desk, *score, tmp_path / "cut.pt")
    content = torch.load(desk / "model.pt", weights_only=True)
    torch.save({**content, "format": 99}, tmp_path / "format.pt")
    assert "model format 99" in refused(desk, *score, tmp_path / "format.pt")
    told = content["metadata"].replace('"jets": {', '"jets": {"unheard_of": 1, ')
    torch.save({**content, "metadata": told}, tmp_path / "schema.pt")
    assert "of another version (unheard_of: unknown key" in refused(desk, *score, tmp_path / "schema.pt")
    for pt in ("nan", "-5", "inf"):
        line = refused(desk, *score, "model.pt", "--pt-min", pt, "--to", tmp_path / "none.root")
        assert line == f"error: pt_min: a pT of at least 0 GeV is wanted, not {float(pt):g}"
    images = json.dumps({"settings": {"latent": 4}, "run": {"metric": "mse"}, "side": 3.2})
    torch.save({**content, "metadata": images}, tmp_path / "images.pt")
    assert "images.pt: a network of jet images, which sees no features" in refused(desk, *score, tmp_path / "images.pt")
    assert "to a file that ends in .h5, not jets.csv" in refused(desk, "features", "events.root", "--to", "jets.csv")
    assert not list(tmp_path.glob("*.root"))


class Tampered:
    def __reduce__(self):
        return Path.touch, (Path("executed"),)


def test_nothing_in_a_model_file_is_executed(desk, tmp_path):
    content = torch.load(desk / "model.pt", weights_only=True)
    torch.save({**content, "extra": Tampered()}, tmp_path / "evil.pt")
    line = refused(tmp_path, "score", desk / "events.root", "--detector", "evil.pt")
    assert "not a model file, or damaged" in line
    assert not (tmp_path / "executed").exists()


def test_a_key_is_shown_with_its_value_and_a_slip_with_what_was_meant(desk):
    run_command(desk, "config", "new", "shown.yaml")
    shown = run_command(desk, "config", "show", "methods.wnae.training.epochs", "shown.yaml").stdout
    assert re.search(r"^  value: 50$", shown, re.MULTILINE)
    assert "passes over" in shown
    assert "pt_min" in refused(desk, "config", "show", "features.pt_mim")
    assert "is there already" in refused(desk, "config", "new", "shown.yaml")


def test_detectors_are_listed_and_described(desk):
    assert re.search(r"^wnae ", run_command(desk, "detectors").stdout, re.MULTILINE)
    assert "components: number of Gaussians (default 30)" in run_command(desk, "detectors", "gaussian_mixture").stdout
    assert "neighbors" in refused(desk, "detectors", "neighbors")


@pytest.mark.slow
def test_a_wheel_works_outside_the_repository(desk, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("src", "pyproject.toml", "README.md", "LICENSE"):
        part = ROOT / name
        if part.is_dir():
            shutil.copytree(part, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(part, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    built = subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("oddjet-*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    # The wheel first, then the installed packages, and nothing of the repository.
    paths = os.pathsep.join([str(site), sysconfig.get_paths()["purelib"]])
    program = f"import sys; sys.path[:0] = {paths.split(os.pathsep)!r}; from oddjet.cli.main import program; program()"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, "score", "events.root", "--detector", "model.pt", "--to", "wheel.h5"],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run_command(desk, "score", "events.root", "--detector", "model.pt", "--to", "here.h5")
    np.testing.assert_array_equal(read_table(desk / "wheel.h5"), read_table(desk / "here.h5"))
    entries = (next(site.glob("oddjet-*.dist-info")) / "entry_points.txt").read_text()
    assert "oddjet = oddjet.cli.main:program" in entries
