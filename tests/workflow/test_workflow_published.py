"""The targets that publish a run, of two baselines and a VAE of images; the default run makes none of it."""

import json
import subprocess
import sys
import tarfile
from itertools import combinations

import numpy as np
import pytest
import yaml

from oddjet.evaluation.abcd import ClosureRow, PairRow
from oddjet.evaluation.flatness import FlatnessRow, ThresholdRow
from oddjet.evaluation.limits import LimitRow
from oddjet.io.csv import read_rows
from oddjet.io.tables import count_rows, read_table
from oddjet.jobs import Jobs
from oddjet.results import Results

pyhf = pytest.importorskip("pyhf", reason="the extra `limits` is not installed")
pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
pytest.importorskip("hepdata_lib", reason="the extra `hepdata` is not installed")

METHODS = ("mahalanobis", "pca", "image_vae")

# pyhf validates with a part of jsonschema that is to go.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")]

PUBLISHED = ("--configfile", "config/test/published.yaml")
TARGETS = ("limits", "bundle", "hepdata", "flatness", "abcd")


@pytest.fixture(scope="module")
def published(run_once):
    return run_once("published", *TARGETS, "--cores", "2", *PUBLISHED)[0]


def test_limits_are_those_of_the_workspaces(published):
    folder = published.folder / "results/jets/limits"
    rows = read_rows(folder / "pca.csv", LimitRow)
    found = {(row.method, row.seed, row.point["r_inv"]) for row in rows}
    assert found == {("pca", seed, r_inv) for seed in (1, 2, 3) for r_inv in (0.1, 0.5)}
    assert not (folder / "mahalanobis.csv").exists()
    for row in rows[:2]:
        background = json.loads((folder / f"pca/seed-{row.seed}/background.json").read_text())
        (patch,) = json.loads((folder / f"pca/seed-{row.seed}/{row.signal}.json").read_text())
        assert background["observations"][0]["data"] == [pytest.approx(row.background)]
        assert patch["value"]["data"] == [pytest.approx(row.signal_per_pb)]
        assert 0 < row.minus_2 < row.minus_1 < row.expected < row.plus_1 < row.plus_2
        # Nearly all of it is the uncertainty of the background, log-normal: 1.96 deviations downward make room.
        relative = background["channels"][0]["samples"][0]["modifiers"][0]["data"]["hi"] - 1
        room = row.background * (1 - (1 + relative) ** -1.96)
        assert row.expected == pytest.approx(room / row.signal_per_pb, rel=0.02)
    assert (published.folder / "results/jets/figures/limits.png").stat().st_size > 10_000


def test_bundles_score_by_themselves_and_their_thresholds_are_in_the_submission(published):
    results = published.folder / "results/jets"
    for method in ("mahalanobis", "pca", "image_vae"):
        done = subprocess.run(
            [sys.executable, "scorer.py"],
            cwd=results / "bundle" / method,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "scores agree" in done.stdout, done.stderr
    with tarfile.open(results / "hepdata/submission.tar.gz") as archive:
        texts = [archive.extractfile(one).read().decode() for one in archive if one.name.endswith("submission.yaml")]
    names = {one["name"] for one in yaml.safe_load_all(texts[0]) if "name" in one}
    assert {f"{what}, {method}" for what in ("AUC", "Thresholds") for method in ("mahalanobis", "pca")} <= names


def test_thresholds_and_the_pair_are_of_validation_jets(published):
    results = published.folder / "results/jets"
    known = read_rows(results / "thresholds.csv", ThresholdRow)
    table = read_table(results / "validation_scores/pca/seeds-3.h5")
    assert set(table["sample"]) == {0}
    assert count_rows(results / "dataset/validation.h5") == len(table)
    (cut,) = [row for row in known if (row.method, row.seed, row.efficiency, row.pt_min) == ("pca", 3, 0.1, None)]
    assert np.mean(table["score"][:, 0] > cut.score) == pytest.approx(0.1, abs=1.5 / len(table))
    assert {(row.method, row.seed) for row in read_rows(results / "flatness.csv", FlatnessRow)} == {
        (method, seed) for method in METHODS for seed in (1, 2, 3)
    }
    pairs = read_rows(results / "abcd/pairs.csv", PairRow)
    assert {(pair.first, pair.second) for pair in pairs} == set(combinations(METHODS, 2))
    assert {pair.jets for pair in pairs} == {len(table)}
    closure = read_rows(results / "abcd/closure.csv", ClosureRow)
    assert {(row.signal, row.efficiency) for row in closure} == {
        (f"svj_mphi-2000_rinv-{r}", e) for r in ("0p1", "0p5") for e in (0.5, 0.3, 0.2, 0.1)
    }
    test = read_table(results / "dataset/test.h5")["weight"].sum()
    assert closure[0].a + closure[0].b + closure[0].c + closure[0].d == pytest.approx(test)
    for name in ("flatness", "abcd"):
        assert (results / f"figures/{name}.png").stat().st_size > 10_000


def test_every_result_has_a_record_that_matches(published):
    plan = Jobs(published.folder / "config/test/published.yaml")
    found = {result.name: result.reasons for result in Results(published.folder / "results").check(plan)}
    assert {name: reasons for name, reasons in found.items() if reasons} == {}
    for name in ("hepdata/submission.tar.gz", "limits/pca.csv", "limits/pca.root", "thresholds.csv", "abcd/pairs.csv"):
        assert f"results/jets/{name}" in found


def test_what_is_published_is_made_once_and_by_its_targets_alone(published):
    assert published.planned(*TARGETS, *PUBLISHED) == {}
    everything = published.planned("all", "--forceall", *PUBLISHED)
    own = {
        "estimate_limits",
        "make_bundle",
        "write_submission",
        "score_validation",
        "measure_flatness",
        "estimate_abcd",
    }
    assert "evaluate" in everything
    assert not own & everything.keys()


def test_limits_without_a_cross_section_say_what_to_give(published):
    done = published.snakemake("--dry-run", "limits", "--configfile", "config/test/tiny.yaml")
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "samples.top: no cross_section, and limits count events; give that of every background sample" in output
    assert "Traceback" not in output
    done = published.snakemake("--dry-run", "variations", "--configfile", "config/test/tiny.yaml")
    assert done.returncode != 0
    assert "variations: nothing varies; give features.corrections an uncertainty" in done.stdout + done.stderr
