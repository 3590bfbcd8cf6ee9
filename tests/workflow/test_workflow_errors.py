"""Bad input ends with one clear message, a status that is not 0, and no result that looks whole."""

from pathlib import Path

import numpy as np
import pytest
import uproot
import yaml

TINY = ("--configfile", "config/test/tiny.yaml")


def own_files(workspace, *files: Path | str) -> tuple[str, str]:
    config = yaml.safe_load((workspace.folder / "config/test/tiny.yaml").read_text())
    config["samples"] = {"own": {"kind": "background", "files": [str(file) for file in files]}}
    (workspace.folder / "config/own.yaml").write_text(yaml.safe_dump(config))
    return ("--configfile", "config/own.yaml")


def test_an_unknown_key_stops_before_any_job(workspace):
    workspace.replace("config/test/tiny.yaml", "seed: 7", "sead: 7")
    done = workspace.snakemake("--dry-run", *TINY)
    assert done.returncode != 0
    assert "sead: unknown key (given: 7)" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_missing_file_stops_before_any_job(workspace):
    done = workspace.snakemake("--dry-run", *own_files(workspace, "absent.root"))
    assert done.returncode != 0
    assert "files: absent.root: no such file" in done.stdout + done.stderr


def test_a_file_without_candidates_is_refused(workspace):
    path = workspace.folder / "jets only.root"
    with uproot.recreate(path) as file:
        file["Events"] = {"run": np.ones(3, np.uint32), "MET_pt": np.ones(3, np.float32)}
    done = workspace.snakemake("--cores", "1", *own_files(workspace, path), "--", "results/jets/dataset/train.h5")
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "jets only.root" in told
    assert "PFCands" in told
    assert "Traceback" not in told
    # Signals may have been extracted before: Snakemake chooses the order.
    assert not list(workspace.folder.glob("results/tables/own/*"))
    assert not list(workspace.folder.glob("results/tables/**/.tmp-*"))


@pytest.mark.slow
def test_a_grid_point_without_enough_jets_is_named(finished):
    space = type(finished)(finished.folder.parent / "few", origin=finished.folder)
    space.replace("config/test/tiny.yaml", "minimum_signal_jets: 20", "minimum_signal_jets: 5000")
    before = (space.folder / "results/jets/auc/ae.csv").read_bytes()
    done = space.snakemake("--cores", "1", *TINY, "--", "results/jets/auc/ae.csv")
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "svj_mphi-2000_rinv-0p1" in told
    assert "5000" in told
    # It is said when the jets are counted: nothing that follows was started, and old scores stay.
    assert "check_cutflow" in told
    assert len(list(space.folder.glob("results/jets/scores/ae/*.h5"))) == 2
    assert (space.folder / "results/jets/auc/ae.csv").read_bytes() == before
