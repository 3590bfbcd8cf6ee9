"""Expected limits: events in bins, limits against the Gaussian formula, and what pyhf makes of the files."""

import json
import math

import jsonpatch
import numpy as np
import pytest
import uproot

from jet_table import COLUMNS
from oddjet.detectors.opening import Method, one_method
from oddjet.errors import EvaluationError
from oddjet.evaluation.limits import (
    SeedLimits,
    background_workspace,
    bin_edges,
    crossings,
    expected_limits,
    method_limits,
    patch,
    write_histograms,
    write_seed,
    yields,
)
from oddjet.evaluation.score_histograms import Events, Yields, events_of
from oddjet.evaluation.scores import score_samples
from oddjet.evaluation.settings import LimitSettings
from oddjet.evaluation.signals import parse_signals
from oddjet.io.tables import Column, write_table
from oddjet.io.trees import read_metadata
from score_tables import jets_of, write_scores

pyhf = pytest.importorskip("pyhf")
# pyhf validates with a part of jsonschema that is to go.
pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")


def test_an_event_has_the_highest_score_of_its_jets_and_counts_once():
    jets = np.zeros(5, [("source", "i4"), ("entry", "i8"), ("weight", "f4"), ("score", "(2,)f8")])
    jets["source"], jets["entry"] = [0, 0, 1, 0, 1], [7, 7, 7, 2, 7]
    jets["weight"] = [2, 2, 3, 5, 3]
    jets["score"][:, 1] = [0.1, 0.4, 0.2, 0.9, 0.3]
    events = events_of(jets, jets["score"][:, 1], 10.0)
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


def test_the_limit_of_several_large_counts_is_that_of_a_gaussian():
    """The same of a signal strength whose variance is (s C^-1 s)^-1, C the covariance of the bins."""
    background, errors, signal = np.array([4e5, 1e5, 4e4]), np.array([900.0, 500.0, 400.0]), np.array([1.0, 4.0, 20.0])
    covariance = np.diag(background + errors**2) + np.outer(0.05 * background, 0.05 * background)
    sigma = 1 / np.sqrt(signal @ np.linalg.solve(covariance, signal))
    limits = expected_limits(background_workspace(background, errors, 0.05), signal)
    assert np.array(limits) / sigma == pytest.approx([1.05, 1.41, 1.96, 2.73, 3.66], rel=0.05)
    # The bins without much signal measure the rate: the tightest alone knows less.
    (last,) = expected_limits(background_workspace(background[-1], errors[-1], 0.05), signal[-1])[2:3]
    assert last > 3 * limits[2]


def test_without_signal_above_the_cut_there_is_no_limit():
    assert np.isnan(expected_limits(background_workspace(10.0, 1.0, 0.1), 0.0)).all()
    assert np.isnan(expected_limits(background_workspace([10.0, 20.0], [1.0, 1.0], 0.1), [0.0, 0.0])).all()


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Scores of two seeds: of the background a falling spectrum, of the signal a harder one."""
    generator, own = np.random.default_rng(3), {}
    for name, (count, scale) in {"b": (4000, 1.0), "svj_mphi-2000_rinv-0p3": (500, 2.0)}.items():
        own[name] = generator.exponential(scale, (count, 2))
    jets = {name: jets_of(np.linspace(500, 1000, len(values)), values[:, 0]) for name, values in own.items()}
    return write_scores(tmp_path_factory.mktemp("scores") / "ae.h5", "ae", jets, own, seeds=(1, 2))


def test_the_user_chooses_the_binning_and_the_files_give_the_same_limits(scores, tmp_path):
    settings = LimitSettings(efficiencies=(0.3, 0.1, 0.03), bins=3, luminosity=1.0)
    factors = {"svj_mphi-2000_rinv-0p3": 1.0}
    one = [found.rows[0] for found in method_limits(scores, 1.0, factors, settings.model_copy(update={"bins": 1}))]
    for found, alone in zip(method_limits(scores, 1.0, factors, settings), one, strict=True):
        (row,) = found.rows
        # 1 / fb of 4000 pb: a share of 0.3 of the background passes the loosest of the three cuts.
        assert row.background == pytest.approx(0.3 * 4000 * 1000, rel=1e-3)
        assert alone.background == pytest.approx(0.03 * 4000 * 1000, rel=1e-3)
        assert row.signal_per_pb == pytest.approx(found.yields[row.signal].events[1:].sum())
        assert row.minus_2 < row.minus_1 < row.expected < row.plus_1 < row.plus_2
        assert row.expected < alone.expected
        write_seed(tmp_path / str(row.seed), found)
        background, added = (
            json.loads((tmp_path / str(row.seed) / f"{name}.json").read_text()) for name in ("background", row.signal)
        )
        whole = pyhf.Workspace(jsonpatch.apply_patch(background, added))
        assert whole.channels == ["score_1", "score_2", "score_3"]
        model = whole.model()
        level = pyhf.infer.hypotest(row.expected, whole.data(model), model, return_expected=True, test_stat="qtilde")[1]
        assert level == pytest.approx(0.05, abs=0.002)


def test_more_bins_than_events_fill_are_refused(scores):
    settings = LimitSettings(efficiencies=(0.3, 0.1), bins=4)
    with pytest.raises(EvaluationError, match=r"limits.bins: 4 are asked for, and .*ae.h5 has events for 3; lower it"):
        next(method_limits(scores, 1.0, {"svj_mphi-2000_rinv-0p3": 1.0}, settings))


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


def test_limits_are_found_where_fits_vary():
    """Noise of a millionth made pyhf's own search take an interval whose ends had changed places."""
    wiggle = np.random.default_rng(1)

    def levels(strength):
        return np.exp(-np.array([4.0, 3.0, 3.0]) * strength) * (1 + 1e-6 * wiggle.normal(size=3))

    assert crossings(levels, 3) == pytest.approx(np.log(20) / np.array([4.0, 3.0, 3.0]), rel=2e-4)
    with pytest.raises(ValueError, match="f\\(a\\) and f\\(b\\) must have different signs"):
        crossings(lambda strength: np.full(1, 0.5), 1)


def test_histograms_are_of_every_sample_and_every_weight(tmp_path):
    """Backgrounds by sample, data as events, a test background in pb, and a weight that is varied."""
    columns = [*COLUMNS, Column("weight_pdf_up", "f4", "1", "varied weight")]
    files, values = {}, {"b": 600, "svj_mphi-2000_rinv-0p3": 50, "seen": 80, "qcd": 40}
    for name, count in values.items():
        jets = np.zeros(count, [(column.name, column.dtype) for column in columns])
        jets["entry"], jets["tau2"], jets["weight"] = np.arange(count), np.linspace(0, 1, count), 2.0
        jets["weight_pdf_up"] = 3.0
        if name == "b":
            jets["source"][:200] = 1
        files[name] = tmp_path / f"{name}.h5"
        told = {"sources": json.dumps([["top", "a.h5"], ["w", "b.h5"]])} if name == "b" else {}
        write_table(files[name], columns, jets, told)
    scored = one_method(Method("m", (1,), (1,)), lambda jets: jets["tau2"][:, None].astype(float))
    signals = parse_signals([f"svj_mphi-2000_rinv-0p3={files['svj_mphi-2000_rinv-0p3']}"])
    others = {"data": {"seen": (files["seen"],)}, "test_backgrounds": {"qcd": (files["qcd"],)}}
    score_samples(scored, files["b"], signals, [tmp_path / "s.h5"], None, {}, **others)
    factors, settings = {"svj_mphi-2000_rinv-0p3": 0.01, "qcd": 1.0}, LimitSettings(luminosity=3.0)
    (found,) = method_limits(tmp_path / "s.h5", 0.5, factors, settings)
    sums = {name: float(one.events.sum()) for name, one in found.yields.items()}
    # Two pb a jet in half of the background's weight, 3000 / pb; data are counted.
    expected = {"background": 600 * 12e3, "top": 400 * 12e3, "w": 200 * 12e3, "qcd": 40 * 6e3, "seen": 160.0}
    expected["svj_mphi-2000_rinv-0p3"] = 50 * 60.0
    assert sums == pytest.approx({**expected, **{f"{name}_pdf_up": 1.5 * sum_ for name, sum_ in expected.items()}})
    assert np.sqrt(np.square(found.yields["seen"].errors).sum()) == pytest.approx(2 * np.sqrt(80))
    write_histograms(tmp_path / "h.root", [found], {})
    with uproot.open(tmp_path / "h.root") as file:
        assert file["seed-1/w_pdf_up"].values().sum() == pytest.approx(1.5 * 200 * 12e3)
