"""Expected limits: events in bins, limits against the Gaussian formula, and what pyhf makes of the files."""

import json
import math

import jsonpatch
import numpy as np
import pytest
import uproot

from oddjet.errors import EvaluationError
from oddjet.evaluation.limits import (
    Events,
    SeedLimits,
    Yields,
    background_workspace,
    bin_edges,
    events_of,
    expected_limits,
    patch,
    write_histograms,
    yields,
)
from oddjet.evaluation.settings import LimitSettings
from oddjet.io.trees import read_metadata

pyhf = pytest.importorskip("pyhf")
# pyhf validates with a part of jsonschema that is to go.
pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")


def test_an_event_has_the_highest_score_of_its_jets_and_counts_once():
    jets = np.zeros(5, [("source", "i4"), ("entry", "i8"), ("weight", "f4"), ("score", "(2,)f8")])
    jets["source"], jets["entry"] = [0, 0, 1, 0, 1], [7, 7, 7, 2, 7]
    jets["weight"] = [2, 2, 3, 5, 3]
    jets["score"][:, 1] = [0.1, 0.4, 0.2, 0.9, 0.3]
    events = events_of(jets, 1, 10.0)
    assert events.scores.tolist() == [0.9, 0.4, 0.3]
    assert events.weights.tolist() == [50, 20, 30]


def test_bins_end_at_background_efficiencies_and_hold_enough_events():
    scores = np.linspace(0, 1, 1001)
    edges = bin_edges(Events(scores, np.full(1001, 0.5)), LimitSettings(efficiencies=(0.5, 0.1, 0.001)))
    # One in a thousand is a single event: that bin is merged into the next one.
    assert edges == pytest.approx([-math.inf, 0.5, 0.9, math.inf], abs=2e-3)
    with pytest.raises(EvaluationError, match="8 background events are too few for bins of 10 events"):
        bin_edges(Events(scores[:8], np.ones(8)), LimitSettings())


def test_yields_are_events_at_the_luminosity_with_their_errors():
    made = yields(Events(np.array([0.1, 0.2, 0.8]), np.array([0.5, 0.25, 2.0])), np.array([-np.inf, 0.5, np.inf]), 2.0)
    assert made.events.tolist() == [1500, 4000]
    assert made.errors == pytest.approx(2000 * np.sqrt([0.5**2 + 0.25**2, 4.0]))
    with pytest.raises(EvaluationError, match="add up to -1000 events"):
        yields(Events(np.array([0.1]), np.array([-0.5])), np.array([-np.inf, 0.5, np.inf]), 2.0)


@pytest.mark.parametrize(("error", "uncertainty"), [(0.0, 1e-3), (100.0, 1e-3), (30.0, 0.01)])
def test_the_limit_of_a_large_count_is_that_of_a_gaussian(error, uncertainty):
    """The median CLs limit is 1.96 standard deviations of the background (arXiv:1007.1727, eq. 89, alpha = 0.05)."""
    sigma = math.sqrt(1e4 + error**2 + (1e4 * uncertainty) ** 2)
    limits = expected_limits(background_workspace(1e4, error, uncertainty), 50.0)
    assert np.array(limits) * 50 / sigma == pytest.approx([1.05, 1.41, 1.96, 2.73, 3.66], rel=0.05)


def test_without_signal_above_the_cut_there_is_no_limit():
    assert np.isnan(expected_limits(background_workspace(10.0, 1.0, 0.1), 0.0)).all()


def test_the_patch_and_the_workspace_give_the_same_limit_elsewhere(tmp_path):
    workspace = background_workspace(100.0, 5.0, 0.1)
    (tmp_path / "background.json").write_text(json.dumps(workspace))
    (tmp_path / "svj.json").write_text(json.dumps(patch(30.0)))
    read = json.loads((tmp_path / "background.json").read_text())
    whole = pyhf.Workspace(jsonpatch.apply_patch(read, json.loads((tmp_path / "svj.json").read_text())))
    model = whole.model()
    _, bands = pyhf.infer.intervals.upper_limits.upper_limit(whole.data(model), model)
    assert expected_limits(workspace, 30.0) == pytest.approx([float(limit) for limit in bands], rel=1e-2)


def test_histograms_hold_sums_and_squares(tmp_path):
    found = {"background": Yields(np.array([4.0, 2.0]), np.array([1.0, 0.5]))}
    seeds = [SeedLimits(seed, np.array([-np.inf, 0.5 * seed, np.inf]), found, {}, []) for seed in (1, 2)]
    write_histograms(tmp_path / "h.root", seeds, {"script": "estimate_limits"})
    with uproot.open(tmp_path / "h.root") as file:
        for seed, edge in ((1, "0.5"), (2, "1")):
            histogram = file[f"seed-{seed}/background"]
            assert histogram.values().tolist() == [4, 2]
            assert histogram.errors().tolist() == [1, 0.5]
            assert histogram.axis().member("fTitle") == f"bin of the score, edges {edge}"
    assert read_metadata(tmp_path / "h.root") == {"script": "estimate_limits"}
