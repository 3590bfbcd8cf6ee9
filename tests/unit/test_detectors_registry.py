"""Kinds of detectors: the package of docs/extending.md, installed, trained, scored and digested as our own are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from oddjet.dataset.scaler_file import write_scaler
from oddjet.dataset.scaling import fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.registry import Kind, kind_named, kinds
from oddjet.errors import DetectorError
from oddjet.io.tables import Column, write_table

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/extending.md").read_text()
HEAVY = {"numpy", "torch", "sklearn", "zuko", "scipy"}
COLUMNS = [Column(name, "f4", "1", "value") for name in ("tau2", "tau3", "c2", "weight")]
METHODS = {
    "denoising": {"kind": "denoising", "corruption": 0.2, "network": {"hidden": [4], "latent": 2}},
    "realnvp": {"kind": "realnvp", "couplings": 2, "hidden": [8]},
}
PROGRAMS = {"denoising": "train_model", "realnvp": "fit_baseline"}
# What a workflow asks for while it is parsed: settings that fit, and the code of each job.
ASK = """
import json, sys
from oddjet.config import load_config
from oddjet.provenance.digest import code_digest
from oddjet.methods import baselines, kind_modules, trained
methods, programs = load_config(json.loads(sys.argv[1])).methods, json.loads(sys.argv[2])
jobs = {name: code_digest(program, *kind_modules(methods, [name])) for name, program in programs.items()}
print(json.dumps([jobs, trained(methods), baselines(methods), sorted(sys.modules)]))
"""
# What anyone with the file can do.
SCORE = """
import json, sys
from pathlib import Path
from oddjet.detectors.file import load, snapshots
from oddjet.io.tables import read_table
model = load(Path(sys.argv[1]) / "model.pt")
scores = model.score(read_table(Path(sys.argv[2])))
last = list(snapshots(Path(sys.argv[1]) / "snapshots.pt"))[-1][1].score(read_table(Path(sys.argv[2])))
print(json.dumps([model.name, model.card.kind, model.seeds, scores.tolist(), last.tolist()]))
"""


def install(folder: Path) -> Path:
    """Write the package of the page, with the entry points that pip would write."""
    package, about = folder / "own_detectors", folder / "own_detectors-1.0.dist-info"
    package.mkdir(parents=True)
    about.mkdir()
    (package / "__init__.py").touch()
    for name, text in re.findall(r"```python\n# own_detectors/(\w+\.py)\n(.*?)```", DOCS, re.DOTALL):
        (package / name).write_text(text)
    (entries,) = re.findall(r'```toml\n\[project\.entry-points\."oddjet\.detectors"\]\n(.*?)```', DOCS, re.DOTALL)
    (about / "entry_points.txt").write_text("[oddjet.detectors]\n" + entries.replace('"', ""))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own-detectors\nVersion: 1.0\n")
    return package


def run(folder: Path, *words: object) -> str:
    path = os.pathsep.join([str(folder), str(ROOT / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(folder: Path, methods: dict[str, object]) -> list:
    samples = {"top": {"kind": "background", "process": {"name": "top_pairs"}, "events": 10, "parts": 3}}
    config = {"samples": samples, "signals": {"m_phi": [2000], "r_inv": [0.3], "events": 5}, "methods": methods}
    programs = {"ae": "train_model", "wnae": "train_model", "pca": "fit_baseline", **PROGRAMS}
    wanted = {name: programs[name] for name in methods}
    return json.loads(run(folder, "-c", ASK, json.dumps(config), json.dumps(wanted)))


def test_a_kind_of_an_installed_package_is_checked_and_digested_by_itself(tmp_path: Path) -> None:
    package = install(tmp_path / "with")
    (tmp_path / "without").mkdir()
    ours: dict[str, object] = {"ae": {"kind": "ae"}, "wnae": {"kind": "wnae"}, "pca": {"kind": "pca"}}
    before = ask(tmp_path / "without", ours)[0]
    jobs, trained, baselines, loaded = ask(tmp_path / "with", {**ours, **METHODS})
    assert (trained, baselines) == (["ae", "wnae", "denoising"], ["pca", "realnvp"])
    assert not HEAVY & set(loaded)
    # Its coming makes nothing of ours again.
    assert {name: jobs[name] for name in ours} == before
    module = package / "denoising.py"
    module.write_text(module.read_text().replace("jets - restored", "restored - jets"))
    after = ask(tmp_path / "with", {**ours, **METHODS})[0]
    assert [name for name in jobs if jobs[name] != after[name]] == ["denoising"]


def test_kinds_of_an_installed_package_are_made_and_score_as_ours_do(tmp_path: Path) -> None:
    install(tmp_path)
    table = np.ones(200, dtype=[(column.name, column.dtype) for column in COLUMNS])
    for index, name in enumerate(("tau2", "tau3", "c2")):
        table[name] = np.random.default_rng(index).gamma(5, 1, 200)
    for part in ("train", "validation"):
        write_table(tmp_path / f"{part}.h5", COLUMNS, table, {})
    scaler = fit_scaler(table, DatasetSettings(features=("tau2", "tau3", "c2"), log_floors={}))
    write_scaler(tmp_path / "scaler.json", scaler)
    far = table[:20].copy()
    far["tau2"] += 30.0
    write_table(tmp_path / "test.h5", COLUMNS, np.concatenate([table[:20], far]), {})
    for method, settings in METHODS.items():
        words = [
            "--method",
            method,
            "--settings",
            json.dumps(settings),
            "--seeds",
            1,
            2,
            "--output-dir",
            tmp_path / method,
        ]
        for option in ("train.h5", "validation.h5", "scaler.json"):
            words += [f"--{option.split('.')[0]}", tmp_path / option]
        run(tmp_path, f"workflow/scripts/{PROGRAMS[method]}.py", *words)
        name, kind, seeds, scores, last = json.loads(
            run(tmp_path, "-c", SCORE, tmp_path / method, tmp_path / "test.h5")
        )
        assert (name, kind, seeds) == (method, method, [1, 2])
        values = np.array(scores)
        assert values.shape == (40, 2)
        assert (values[20:].mean(0) > values[:20].mean(0)).all()
        assert np.array(last).shape == (40, 2)


def test_what_is_no_kind_says_why() -> None:
    with pytest.raises(DetectorError, match="there is no 'wnea'; did you mean 'wnae'"):
        kind_named("wnea")
    with pytest.raises(DetectorError, match=r"kind odd: oddjet\.nothing cannot be imported"):
        _ = Kind("odd", "oddjet.nothing", "oddjet.nothing:Settings").settings
    with pytest.raises(DetectorError, match=r"kind odd: oddjet\.messages has no settings class Settings"):
        _ = Kind("odd", "oddjet.messages", "oddjet.messages:Settings").settings
    with pytest.raises(DetectorError, match=r"kind odd: oddjet\.messages has no function build"):
        _ = Kind("odd", "oddjet.messages", "oddjet.messages:Settings").build


@pytest.mark.parametrize("name", sorted(kinds()))
def test_every_kind_of_ours_has_settings_and_a_builder(name: str) -> None:
    kind = kind_named(name)
    assert name in str(kind.settings.model_fields["kind"].annotation)
    assert callable(import_module(kind.settings.opener).open_detector)
    assert kind.settings.opener == kind.module or callable(kind.build)
