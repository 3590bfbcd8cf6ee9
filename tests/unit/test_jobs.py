"""The workflow says what it would do today: command, inputs and code of the job behind a file, and what it asks for."""

import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from oddjet.errors import ConfigError
from oddjet.jobs import Jobs
from oddjet.provenance.digest import code_digest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "config/test/tiny.yaml"
# A value for every wildcard, so that each rule can be asked what it needs.
WILDCARDS = {
    "analysis": "jets",
    "sample": "qcd",
    "file": "0000",
    "method": "image_vae",
    "group": "seeds-3",
    "training_metric": "mse",
    "seed": "3",
}


@pytest.fixture(scope="module")
def plan():
    return Jobs(TINY)


def changed(folder: Path, **sections) -> Jobs:
    path = folder / "changed.yaml"
    path.write_text(json.dumps({**yaml.safe_load(TINY.read_text()), **sections}))
    return Jobs(path)


def test_the_job_behind_a_result(plan):
    (job,) = plan.jobs("results/tables/top/0001.h5")
    # One of a batch: of the others nothing is said.
    assert (job.rule, job.script) == ("extract_features_top_0000", "extract_features")
    assert job.inputs == ("results/samples/top/0001.root",)
    assert job.outputs == ("results/tables/top/0001.h5",)
    assert job.code_digest == code_digest("extract_features")
    assert job.options["sample"] == ["top"]
    assert job.options["output"] == ["results/tables/top/0001.h5"]
    assert job.options["settings"][0]["pt_min"] == 500.0
    assert "threads" not in job.options


def test_a_rule_that_uses_another_ones_program(plan):
    (job,) = plan.jobs("results/events/models/wnae/seeds-3/model.pt")
    assert (job.rule, job.script) == ("train_event_model", "train_model")
    assert job.options["seeds"] == ["3"]
    assert job.options["settings"][0]["kind"] == "wnae"


@pytest.mark.parametrize(
    "path", ["results/tables/top/0002.h5", "results/jets/models/other/seeds-3/model.pt", "results/other.csv"]
)
def test_a_file_that_the_configuration_has_no_use_for(plan, path):
    assert plan.jobs(path) == []


def test_reading_the_workflow_leaves_the_process_as_it_is():
    before = dict(os.environ), list(sys.path), Path.cwd()
    Jobs(TINY)
    assert (dict(os.environ), list(sys.path), Path.cwd()) == before


def test_a_plan_keeps_its_configuration_beside_another_one(plan, tmp_path):
    other = changed(tmp_path, seed=8, label="Another")
    seeds = [one.jobs("results/samples/top/0001.root")[0].options["seed"] for one in (plan, other)]
    assert seeds == [["7"], ["8"]]
    labels = [one.jobs("results/jets/figures/leaderboard.pdf")[0].options["label"] for one in (plan, other)]
    assert labels == [["Simulation"], ["Another"]]


def test_the_analysis_of_the_page_is_one_file(tmp_path):
    page = (ROOT / "docs/extending.md").read_text().split("## An analysis\n")[1]
    (tmp_path / "config.yaml").write_text((ROOT / "config/config.yaml").read_text())
    (tmp_path / "my.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    plan = Jobs(tmp_path / "my.yaml")
    (built,) = plan.jobs("results/top_in_qcd/dataset/train.h5")
    assert built.inputs == tuple(f"results/tables/qcd/{number:04d}.h5" for number in range(8))
    assert built.options["settings"][0]["features"] == ["tau2", "tau3", "softdrop_mass"]
    for method, rate in (("wnae", 1e-3), ("wnae-learning_rate-0.0001", 1e-4)):
        (job,) = plan.jobs(f"results/top_in_qcd/models/{method}/seeds-1-2/model.pt")
        assert not [path for path in job.inputs if not path.startswith("results/top_in_qcd/dataset/")]
        assert job.options["settings"][0]["training"]["learning_rate"] == rate
    (scored,) = plan.jobs("results/top_in_qcd/scores/mahalanobis/seeds-1-2.h5")
    assert set(scored.inputs) >= {"results/top_in_qcd/dataset/test.h5", "results/tables/top/0007.h5"}
    assert plan.jobs("results/jets/leaderboard.md")


def test_a_wrong_configuration_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml: no such file"):
        Jobs(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="sead: unknown key"):
        changed(tmp_path, sead=1)


def test_every_submitted_job_asks_for_more_when_it_is_tried_again(tmp_path):
    methods = yaml.safe_load(TINY.read_text())["methods"]
    plan = changed(tmp_path, methods={**methods, "image_vae": {"kind": "vae"}})
    profile = yaml.safe_load((ROOT / "slurm/config.yaml").read_text())
    asked = {}
    for rule in plan.rules:
        if rule.shellcmd and rule.name not in rule.workflow._localrules:
            amounts = [rule.expand_resources(WILDCARDS, [], attempt) for attempt in (1, 2, 3)]
            asked[rule.name] = [(one.mem_mb, one.runtime) for one in amounts]
    assert len(asked) > 30
    constant = {
        name
        for name, ((memory, minutes), *later) in asked.items()
        if later != [(memory * attempt, minutes * attempt) for attempt in (2, 3)]
    }
    assert not constant
    # HTCondor's name for the memory of a job.
    assert all(
        rule.expand_resources(WILDCARDS, [], 2)["htcondor_request_mem_mb"] == asked[rule.name][1][0]
        for rule in plan.rules
        if rule.name in asked
    )
    # What the profile sets takes the place of a rule's own amount.
    for name, amounts in profile["set-resources"].items():
        assert all("attempt" in str(amounts[key]) for key in {"mem_mb", "runtime"} & set(amounts)), name


def test_held_out_jets_of_a_weighted_signal_are_scored_as_they_are(tmp_path):
    """They are a part of a sample: a cross section needs the sum of weights of all of it, and has none here."""
    process = {"name": "svj", "m_phi": 1500, "r_inv": 0.3}
    own = {"kind": "signal", "process": process, "events": 100, "cross_section": 0.5}
    samples = {**yaml.safe_load(TINY.read_text())["samples"], "own": own}
    plan = changed(tmp_path, samples=samples)
    (job,) = plan.jobs("results/contaminated-0/scores/mahalanobis/seeds-3.h5")
    assert job.options["cross-sections"] == [{}]
    (main,) = plan.jobs("results/jets/scores/mahalanobis/seeds-3.h5")
    assert main.options["cross-sections"] == [{"own": 0.5}]


def test_the_papers_figures_know_the_grid_point_of_an_own_signal(tmp_path):
    process = {"name": "svj", "m_phi": 2000, "r_inv": 0.3}
    samples = {**yaml.safe_load(TINY.read_text())["samples"]}
    samples["mysignal"] = {"kind": "signal", "process": process, "events": 100}
    plan = changed(tmp_path, samples=samples)
    for path in ("results/jets/figures/paper/figure_11.pdf", "results/jets/models/wnae/seeds-3/snapshots.csv"):
        (job,) = plan.jobs(path)
        assert job.options["signal"] == ["mysignal=results/tables/mysignal/0000.h5"]
        assert job.options["points"] == [{"mysignal": {"m_phi": 2000.0, "r_inv": 0.3}}]
