"""Runs elsewhere than in the folder of the Snakefile, beside other software, and on files that are gone by now."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import uproot
import yaml

JOB = "results/samples/top/0000.root"
TINY = "config/test/tiny.yaml"


@pytest.fixture
def run(tmp_path, workspace):
    """Give a function that runs the workspace's Snakefile in another folder."""

    def run(*arguments: str, folder=tmp_path / "run", snakefile=workspace.folder / "Snakefile", **environment: str):
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "snakemake", "--nocolor", "--cores", "1", "--snakefile", str(snakefile)]
        done = subprocess.run(
            [*command, "--directory", str(folder), *arguments],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_two_configurations_from_one_checkout_each_in_a_folder_of_its_own(run, workspace, tmp_path):
    status, told = run("--configfile", str(workspace.folder / TINY), "--", JOB)
    assert status == 0, told
    assert (tmp_path / "run" / JOB).is_file()
    assert not (workspace.folder / "results").exists()
    # The default configuration is found beside the Snakefile.
    status, told = run("--dry-run", folder=tmp_path / "another")
    assert status == 0, told


def test_as_a_module(run, workspace, tmp_path):
    outer = tmp_path / "outer.smk"
    outer.write_text(
        f'module oddjet:\n    snakefile: "{workspace.folder}/Snakefile"\n'
        '    config: config["jets"]\n    prefix: "jets"\n'
        "use rule * from oddjet as jets_*\n"
    )
    config = {"mine": 1, "jets": yaml.safe_load((workspace.folder / TINY).read_text())}
    (tmp_path / "outer.yaml").write_text(yaml.safe_dump(config))
    status, told = run("--configfile", str(tmp_path / "outer.yaml"), "--", f"jets/{JOB}", snakefile=outer)
    assert status == 0, told
    assert (tmp_path / "run/jets" / JOB).is_file()


@contextmanager
def read_only(folder):
    commands = [["mount", "--bind", folder, folder], ["mount", "-o", "remount,ro,bind", folder]]
    if os.geteuid() != 0 or subprocess.run(commands[0], check=False, capture_output=True).returncode != 0:
        pytest.skip("a read-only folder needs root and the right to mount")
    try:
        subprocess.run(commands[1], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_checkout_that_cannot_be_written_and_no_home(run, workspace, tmp_path):
    home = {"HOME": "/nonexistent", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with read_only(workspace.folder):
        status, told = run("--configfile", str(workspace.folder / TINY), "--", JOB, **home)
    assert status == 0, told
    assert (tmp_path / "run" / JOB).is_file()


def test_a_folder_that_cannot_be_written_is_told_in_one_line(workspace):
    with read_only(workspace.folder):
        done = workspace.snakemake("--dry-run", "--configfile", TINY)
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert f"{workspace.folder} cannot be written, and Snakemake keeps its notes there" in told
    assert "Traceback" not in told


def test_other_software_does_not_reach_the_jobs(run, workspace, tmp_path):
    for package in ("uproot", "awkward"):
        (tmp_path / "view" / package).mkdir(parents=True)
        (tmp_path / "view" / package / "__init__.py").write_text("raise ImportError('of another environment')")
    other = {"PYTHONPATH": str(tmp_path / "view"), "PYTHIA8DATA": str(tmp_path), "MPLBACKEND": "module://nothing.here"}
    # Of these Python itself would suffer; Snakemake does not.
    other |= {"PYTHONOPTIMIZE": "2", "NUMBA_DISABLE_JIT": "1", "MATPLOTLIBRC": str(tmp_path)}
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\n")
    status, told = run("--configfile", str(workspace.folder / TINY), "--", JOB, **other)
    assert status == 0, told


def test_results_may_be_a_link(run, workspace, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "disk").mkdir()
    (tmp_path / "run/results").symlink_to(tmp_path / "disk")
    status, told = run("--configfile", str(workspace.folder / TINY), "--", JOB)
    assert status == 0, told
    assert (tmp_path / "run/results").is_symlink()
    assert (tmp_path / "disk/samples/top/0000.root").is_file()


def test_a_results_folder_refuses_another_configuration_unless_told(run, workspace, tmp_path):
    profile = workspace.folder / "profiles/default/config.yaml"
    profile.write_text(profile.read_text().replace("config: on_other_results=overwrite\n", ""))
    (tmp_path / "other.yaml").write_text((workspace.folder / TINY).read_text().replace("seed: 7", "seed: 8"))
    tiny, other = (["--configfile", str(path)] for path in (workspace.folder / TINY, tmp_path / "other.yaml"))
    status, told = run(*tiny, "--", JOB)
    assert status == 0, told
    before = (tmp_path / "run" / JOB).read_bytes()
    status, told = run(*other, "--", JOB)
    assert status != 0
    assert "which differs from" in told
    assert "in seed: its results would be overwritten" in told
    assert "Traceback" not in told
    assert (tmp_path / "run" / JOB).read_bytes() == before
    status, told = run(*other, "--config", "on_other_results=overwrite", "--", JOB)
    assert status == 0, told
    assert (tmp_path / "run" / JOB).read_bytes() != before


def test_slurm_that_is_not_there_is_named_at_once(run, workspace):
    if shutil.which("sbatch"):
        pytest.skip("Slurm is here")
    profile = str(workspace.folder / "slurm")
    status, told = run("--profile", profile, "--configfile", str(workspace.folder / TINY), "--", JOB)
    assert status != 0
    assert "Slurm is not here: no sbatch" in told


@pytest.fixture
def own_files(tmp_path, workspace, run):
    """A configuration of files of its own, whose feature tables are made."""
    random = np.random.default_rng(3)
    (tmp_path / "data").mkdir()
    for name in ("a", "b"):
        with uproot.recreate(tmp_path / "data" / f"{name}.root") as file:
            angle = random.uniform(-3, 3, 20)
            file["Events"] = {
                "run": np.ones(20, np.uint32),
                "luminosityBlock": np.ones(20, np.uint32),
                "event": np.arange(1, 21, dtype=np.uint64),
                "PFCands": jets(angle),
            }
    config = yaml.safe_load((workspace.folder / TINY).read_text())
    config["samples"] = {"own": {"kind": "background", "files": [str(tmp_path / "data/*.root")]}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(config))
    return config


def jets(angle):
    import awkward as ak

    # Two jets of 600 GeV, of three particles each.
    values = {"pt": np.tile([300.0, 200.0, 100.0], (len(angle), 2)), "eta": np.tile([0.0, 0.1, -0.1], (len(angle), 2))}
    values["phi"] = np.concatenate([angle[:, None] + [0.0, 0.1, 0.2], angle[:, None] + [3.1, 3.0, 2.9]], axis=1)
    values["phi"] = np.mod(values["phi"] + np.pi, 2 * np.pi) - np.pi
    values["mass"] = np.zeros_like(values["pt"])
    return ak.zip({name: ak.from_regular(column.astype(np.float32)) for name, column in values.items()})


def test_later_stages_run_when_the_files_behind_the_tables_are_gone(own_files, run, tmp_path):
    configfile = ("--configfile", str(tmp_path / "own.yaml"))
    status, told = run(*configfile, "--", "features")
    assert status == 0, told
    tables = sorted((tmp_path / "run/results/tables/own").glob("*.h5"))
    assert len(tables) == 2
    # All gone, and one of two.
    for path in (tmp_path / "data/a.root", tmp_path / "data/b.root"):
        path.unlink()
        status, told = run(*configfile, "--dry-run", "--", "results/jets/dataset/train.h5")
        assert status == 0, told
        assert f"{path}: gone; its table" in told
        assert "build_dataset" in told
        assert "extract_features" not in told
    # A table that is not what is asked for cannot be made anew.
    own_files["features"] = {"pt_min": 510}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own_files))
    status, told = run(*configfile, "--dry-run", "--", "results/jets/dataset/train.h5")
    assert status != 0
    assert "is gone, and results/tables/own/" in told
    assert "with other features" in told
    # Without a table, a file that is gone is none.
    shutil.rmtree(tmp_path / "run/results/tables")
    status, told = run(*configfile, "--dry-run", "--", "results/jets/dataset/train.h5")
    assert status != 0
    assert "samples.own.files: " in told
    assert "the glob matches no file" in told


def test_images_and_events_know_their_files_too(run, workspace, tmp_path):
    config = yaml.safe_load((workspace.folder / TINY).read_text())
    for name in ("jets.root", "events.h5"):
        (tmp_path / name).touch()
    (tmp_path / "link.h5").symlink_to("events.h5")
    images, events = {**config["images"]}, {**config["events"]}
    images["samples"] = {name: {"files": [str(tmp_path / "jets.root")]} for name in ("qcd", "top")}
    events["signals"] = {"one": {"files": [str(tmp_path / "events.h5")]}, "two": {"files": [str(tmp_path / "link.h5")]}}
    for section, changed, message in (
        ("images", images, "images.samples.top.files: "),
        ("events", events, "events.signals.two.files: "),
        ("events", {**events, "signals": {"one": {"files": ["https://host/x.h5"]}}}, "https://host/x.h5 is an address"),
    ):
        (tmp_path / "own.yaml").write_text(yaml.safe_dump({**config, section: changed}, sort_keys=False))
        status, told = run("--configfile", str(tmp_path / "own.yaml"), "--dry-run")
        assert status != 0
        assert message in told, told
