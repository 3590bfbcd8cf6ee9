"""Analyses: what they take from the configuration, what they may not be, and where their files lie."""

import copy
import json

import pytest

from oddjet.config import load_config
from oddjet.errors import ConfigError
from oddjet.paper_figures import PaperFigures
from oddjet.plan import Plan

SVJ = {"process": {"name": "svj", "m_phi": 2000, "r_inv": 0.3}, "events": 30, "require_match": "dark_quark"}
BASE = {
    "samples": {
        "top": {"kind": "background", "process": {"name": "top_pairs"}, "events": 10, "parts": 2},
        "qcd": {"process": {"name": "qcd"}, "events": 10, "cross_section": 2.0},
        "svj": SVJ,
    },
    "signals": {"m_phi": [1000, 2000], "r_inv": [0.1], "events": 5},
    "methods": {
        "ae": {"kind": "ae"},
        "wnae": {"kind": "wnae", "training": {"epochs": 7}},
        "pca": {"kind": "pca"},
        "mean": {"kind": "mean", "of": "ae"},
    },
    "seeds": [1, 2, 3],
}
REVERSED = {"background": ["svj"], "signals": ["top"], "methods": ["wnae"]}


def plan(analyses: dict, **changes) -> Plan:
    return Plan(load_config({**copy.deepcopy(BASE), "analyses": analyses, **changes}), {})


def test_samples_with_a_kind_make_the_analysis_jets():
    jets = plan({}).analyses["jets"]
    assert (jets.background, jets.signals) == (("top",), ("svj_mphi-1000_rinv-0p1", "svj_mphi-2000_rinv-0p1"))
    assert jets.dataset == plan({}).config.dataset
    assert jets.groups() == {"seeds-1-2": (1, 2), "seeds-3": (3,)}


def test_an_analysis_takes_what_it_leaves_out_from_the_configuration():
    given = {"other": {"background": ["qcd"], "signals": ["top", "svj_*"], "seeds": [5], "dataset": {"range": [-1, 1]}}}
    found = plan(given, dataset={"scaling": "power"})
    other = found.analyses["other"]
    assert other.signals == ("top", "svj_mphi-1000_rinv-0p1", "svj_mphi-2000_rinv-0p1")
    assert (other.dataset.scaling, other.dataset.range) == ("power", (-1, 1))
    assert found.analyses["jets"].dataset.range == (-3, 3)
    assert list(other.methods) == list(BASE["methods"])
    assert list(other.groups()) == ["seeds-5"]
    assert found.background_cross_sections("other") == '{"qcd": 2.0}'


def test_other_columns_are_what_the_models_see():
    few = {"columns": ["tau2", "tau3"], "methods": ["wnae"]}
    floor = {"columns": ["d2"], "dataset": {"log_floors": {"d2": 0.1}}, "methods": ["wnae"]}
    computed = ["tau2", "tau3", "efp1", "c2", "ptd", "d2"]
    found = plan({"few": few, "floor": floor}, features={"features": computed}, dataset={"features": computed}).analyses
    assert (found["few"].dataset.features, found["few"].dataset.log_floors) == (("tau2", "tau3"), {})
    assert (found["floor"].dataset.features, found["floor"].dataset.log_floors) == (("d2",), {"d2": 0.1})
    assert found["few"].background == found["jets"].background


def test_a_scan_is_a_list_of_values():
    scan = {"wnae": {"training.epochs": [3, 5], "chain.steps": [10]}}
    methods = plan({"scan": {"methods": ["pca"], "scan": scan}}).analyses["scan"].methods
    assert list(methods) == ["pca", "wnae-epochs-3-steps-10", "wnae-epochs-5-steps-10"]
    assert [method.training.epochs for method in list(methods.values())[1:]] == [3, 5]


def test_samples_that_are_tested_against_alone_train_nothing():
    samples = copy.deepcopy(BASE["samples"])
    samples["qcd"]["kind"] = "test_background"
    given = {"on_qcd": {"background": ["qcd"]}, "both": {"test_backgrounds": ["svj", "qcd"]}}
    found = plan(given, samples=samples)
    backgrounds = {name: found.analyses[name].backgrounds for name in ("jets", "on_qcd", "both")}
    assert backgrounds == {"jets": ("top", "qcd"), "on_qcd": ("qcd",), "both": ("top", "svj", "qcd")}
    assert found.background_tables("jets") == found.tables("top")
    assert found.test_background_tables("both") == found.tables("svj", "qcd")
    assert found.test_background_arguments("jets") == ["qcd=results/tables/qcd/0000.h5"]
    assert set(found.analysis_tables("jets")) >= set(found.tables("top", "qcd"))
    assert "qcd=0000" in found.analysis_files("jets")
    assert found.background_cross_sections("jets") == "{}"
    assert found.analyses["contaminated-0"].test_backgrounds == ()


def test_backgrounds_count_by_cross_section_or_all_the_same():
    samples = copy.deepcopy(BASE["samples"])
    samples["top"]["cross_section"] = 0.5
    both = {"background": ["top", "qcd"]}
    equal = {**both, "dataset": {"sample_weights": "equal"}}
    found = plan({"by_pb": both, "equal": equal}, samples=samples)
    assert found.background_cross_sections("by_pb") == '{"top": 0.5, "qcd": 2.0}'
    assert found.background_cross_sections("equal") == "{}"
    assert plan({"equal": equal}).analyses["equal"].background == ("top", "qcd")


def test_a_method_may_be_trained_on_some_of_the_background():
    methods = {**BASE["methods"], "of_qcd": {"kind": "pca", "background": ["q*"]}}
    both = {"both": {"background": ["top", "qcd"], "dataset": {"sample_weights": "equal"}}}
    without = {"jets": {"methods": ["pca"]}}
    assert plan({**both, **without}, methods=methods).analyses["both"].methods["of_qcd"].background == ("q*",)
    with pytest.raises(ConfigError, match=r"methods\.of_qcd\.background: there is no 'q\*'\. There are: top"):
        plan({}, methods=methods)


def test_the_matrix_says_what_each_method_was_trained_on():
    methods = {
        "pca": {"kind": "pca"},
        "few": {"kind": "pca", "components": 2},
        "of_qcd": {"kind": "pca", "background": ["qcd"]},
        "of_top": {"kind": "pca", "background": ["top"]},
        "least": {"kind": "minimum", "of": ["of_top", "of_qcd"]},
        "mean": {"kind": "mean", "of": "pca"},
    }
    both = {"background": ["top", "qcd"], "dataset": {"sample_weights": "equal"}}
    analyses = {
        "both": both,
        "on_top": {"background": ["top"], "methods": ["pca", "few"]},
        "jets": {"methods": ["pca"]},
    }
    found = plan(analyses, methods=methods)
    named = dict(zip(found.matrix_tables(), found.trainings(), strict=True))
    assert {path.removeprefix("results/").replace("/auc/", " "): words for path, words in named.items()} == {
        "both pca.csv": ("PCA residual", "all, equal shares"),
        "both few.csv": ("few", "all, equal shares"),
        "both of_qcd.csv": ("PCA residual", "qcd"),
        "both of_top.csv": ("PCA residual", "top"),
        "both least.csv": ("PCA residual", "each"),
        "on_top pca.csv": ("PCA residual of on_top", "top"),
        "on_top few.csv": ("few", "top"),
        "jets pca.csv": ("PCA residual of jets", "top"),
    }


def test_a_heatmap_says_which_jets_the_configuration_selects():
    simulated = plan({}, features={"pt_min": 300, "pt_max": 800, "eta_max": 1.5}, simulation={"com_energy": 13600})
    expected = r"300 < $p_\mathrm{T}$ < 800 GeV, $|\eta|$ < 1.5"
    assert simulated.selection("jets") == expected + r", $\sqrt{s}$ = 13.6 TeV"
    # Of files only those who made them know the energy.
    listed = {**BASE["samples"], "top": {"kind": "background", "files": ["top.root"]}}
    found = plan({}, samples=listed, features={"pt_min": 300, "pt_max": 800, "eta_max": 1.5})
    assert found.selection("jets") == expected


def test_a_run_makes_the_matrix_where_trainings_on_several_backgrounds_are_tested_alike():
    pca = {"methods": ["pca"]}
    top = {"background": ["top"], "test_backgrounds": ["qcd"], **pca}
    both = {"background": ["top", "qcd"], "dataset": {"sample_weights": "equal"}, **pca}
    report, page = "results/report.html", "results/matrix/matrix.md"
    for jets, others, expected in (
        (top, {"both": both}, True),
        # One training; other backgrounds of the test; other signals.
        (top, {}, False),
        ({"background": ["top"], **pca}, {"both": both}, False),
        (top, {"both": {**both, "signals": ["*-1000_*"]}}, False),
    ):
        found = plan({"jets": jets, **others})
        assert found.has_matrix() == expected
        assert (page in found.run()) == ("results/matrix/matrix.png" in found.report_figures()) == expected
        assert found.run().count(report) == 1
        assert all(f"results/{name}/figures/roc.png" in found.report_figures() for name in ("jets", *others))


@pytest.mark.parametrize(
    ("analyses", "message"),
    [
        ({"a": {"test_backgrounds": ["top"]}}, r"analyses\.a\.test_backgrounds: top is background too"),
        ({"a": {"test_backgrounds": ["svj_*"]}}, r"test_backgrounds: svj_mphi-1000_rinv-0p1 is signal too"),
        ({"a": {"background": ["tpo"]}}, r"analyses\.a\.samples: there is no 'tpo'; did you mean 'top'"),
        ({"a": {"signals": ["top"]}}, r"analyses\.a\.signals: top is background too"),
        ({"a": {"signals": ["x*"]}}, r"analyses\.a\.samples: there is no 'x\*'"),
        ({"a": {"methods": ["wnea"]}}, r"analyses\.a\.methods: there is no 'wnea'; did you mean 'wnae'"),
        ({"a": {"methods": ["mean"]}}, r"analyses\.a\.methods: mean is made of ae, which is not named"),
        ({"a": {"columns": ["tau9"]}}, r"analyses\.a\.columns: 'tau9' is not among what"),
        ({"a": {"background": ["top", "qcd"]}}, r"analyses\.a\.samples\.top: no cross_section, but other"),
        ({"a": {"scan": {"wnae": {"training.epoch": [1]}}}}, r"analyses\.a\.scan\.wnae: training\.epoch: Extra"),
        ({"a": {"scan": {"mean": {"of": ["ae"]}}}}, r"analyses\.a\.scan: there is no 'mean'"),
        ({"a": {"seeds": [1, 1]}}, r"analyses\.a\.seeds: \[1, 1\] holds a seed twice"),
        ({"a": {"colums": ["tau2"]}}, r"analyses\.a\.colums: unknown key"),
        ({"tables": {}}, "the name 'tables' is that of a folder of results"),
        ({"contaminated-1": {}}, "the name 'contaminated-1' is that of a folder"),
        ({"a b": {}}, "analyses: the name 'a b' may hold"),
    ],
)
def test_an_analysis_that_does_not_fit_is_named(analyses, message):
    with pytest.raises(ConfigError, match=message):
        plan(analyses)


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        (
            {"ensemble": {"seeds": [1], "seeds_per_job": 1}},
            ["ensemble.seeds is gone: write it as seeds", "ensemble.seeds_per_job is gone: write it as seeds_per_job"],
        ),
        (
            {"samples": {**BASE["samples"], "svj": {"kind": "reversed", **SVJ}}},
            ["samples.svj.kind: reversed is gone", "analyses: {reversed: {background: [svj]"],
        ),
    ],
)
def test_a_key_of_an_older_configuration_says_what_takes_its_place(changes, messages):
    with pytest.raises(ConfigError) as error:
        plan({}, **changes)
    assert all(message in str(error.value) for message in messages)


def test_no_training_has_a_signal_among_its_inputs():
    found = plan({"reversed": REVERSED})
    for name, analysis in found.analyses.items():
        assert not set(analysis.background) & set(analysis.signals)
        assert found.background_tables(name) == found.tables(*analysis.background)
        own = [found.split(name, split) for split in ("train", "validation")] + [found.scaler(name)]
        signals = set(found.signal_tables(name))
        assert not signals & {*own, *found.background_tables(name)}
        # Only what is contaminated on purpose trains on jets of its own beside those of another analysis.
        assert own[0] == f"results/{name}/dataset/train.h5"
        assert own[1:] == [
            f"results/{analysis.base or name}/dataset/{file}" for file in ("validation.h5", "scaler.json")
        ]
    assert found.trains_on_signal("reversed")
    assert not found.trains_on_signal("jets")


def test_contaminated_analyses_test_on_held_out_jets():
    found = plan({}, contamination={"fractions": [0, 0.01], "methods": ["pca"], "minimum_signal_jets": 7})
    assert found.contaminated() == {0.0: "contaminated-0", 0.01: "contaminated-0p01"}
    assert found.signal_tables("contaminated-0") == found.all_held_out()
    assert found.signal_tables("jets") == found.tables(*found.analyses["jets"].signals)
    assert found.analyses["contaminated-0"].evaluation.minimum_signal_jets == 7
    assert found.contaminated_auc() == {
        "results/contaminated-0/auc/pca.csv": 0.0,
        "results/contaminated-0p01/auc/pca.csv": 0.01,
    }
    assert not [path for path in found.run() if "contaminated" in path]


def test_a_run_makes_every_analysis_and_its_auc_by_signal():
    made = plan({"reversed": REVERSED}).run()
    assert "results/reversed/leaderboard.md" in made
    assert "results/jets/figures/auc_heatmap_mean.pdf" in made
    # A signal on no axes is a bar.
    assert "results/reversed/figures/auc_heatmap_wnae.pdf" in made
    assert plan({"reversed": REVERSED}).points("reversed") == '{"top": {}}'


def test_signals_lie_on_axes_of_their_own():
    own = {
        name: {"kind": "signal", "files": [f"{name}.root"], "point": {"m_dark": m_dark, "alpha": 0.3}}
        for name, m_dark in (("light", 10), ("heavy", 20))
    }
    samples = {**BASE["samples"], **own}
    samples.pop("svj")
    found = plan({}, samples=samples, signals={}, heatmap={"axes": {"m_dark": {"title": "dark mass"}}})
    assert json.loads(found.points("jets"))["light"] == {"m_dark": 10, "alpha": 0.3}
    assert json.loads(found.heatmap("jets"))["axes"] == {"m_dark": {"title": "dark mass", "unit": None}}


def test_without_kinds_there_is_no_analysis_jets():
    samples = {
        name: {key: value for key, value in sample.items() if key != "kind"} for name, sample in BASE["samples"].items()
    }
    found = plan({"reversed": REVERSED}, samples=samples, signals={})
    assert list(found.analyses) == ["reversed"]
    assert PaperFigures(found).methods() == []


def test_the_papers_figures_follow_the_methods():
    drawn = PaperFigures(plan({"reversed": REVERSED}))
    assert {"2a", "9a", "13"} <= set(drawn.drawn())
    assert "3a" not in drawn.drawn()
    assert drawn.tables("13", "history.csv")[0] == "results/reversed/models/wnae/seeds-1-2/history.csv"
    assert drawn.signal() == "svj_mphi-2000_rinv-0p1"
    assert any("figure 13" in line for line in PaperFigures(plan({})).left_out())


def test_each_kind_of_method_is_opened_from_what_it_stands_on():
    images = {"near": {"kind": "medoids"}, "network": {"kind": "vae", "betas": [0, 1e-8]}}
    found = plan({"reversed": REVERSED}, methods={**BASE["methods"], **images})
    validation, train = "results/jets/dataset/validation.h5", "results/jets/dataset/train.h5"
    ae = [f"results/jets/models/ae/{group}/model.pt" for group in ("seeds-1-2", "seeds-3")]
    vae = [f"results/jets/models/network/seed-3/beta-{beta}/model.pt" for beta in ("0", "1e-08")]
    opened = {
        ("ae", "seeds-3"): (ae[1:], [], [], []),
        ("mean", "mean"): (ae, [], [validation], []),
        ("near", "seeds-3"): ([], [train], [], found.scored_images("jets")),
        ("network", "seeds-3"): (vae, [], [], found.scored_images("jets")),
    }
    for (method, group), (models, trains, validations, seen) in opened.items():
        expected = {"models": models, "train": trains, "validation": validations, "images": seen}
        assert found.opened_from("jets", method, group) == expected
        assert f"results/jets/scores/{method}/{group}.h5" in found.scores("jets", method)
    assert found.opened_modules("jets", "mean") == ["oddjet.detectors.mean"]
    assert found.opened_modules("jets", "pca") == ["oddjet.detectors.density", "oddjet.detectors.file"]
    # A mean has no group of seeds, a method no mean of its own, and `reversed` has not this method.
    for wrong in (("jets", "mean", "seeds-3"), ("jets", "ae", "mean"), ("reversed", "near", "seeds-3")):
        with pytest.raises(KeyError):
            found.opened_from(*wrong)


@pytest.mark.parametrize(
    "own",
    [
        {"scan": {"wnae": {"training.batch_size": [1000000, 1000001]}}},
        {"methods": ["wnae", "pca-components-2"], "scan": {"pca": {"components": [2]}}},
    ],
)
def test_two_methods_of_one_name_are_refused(own):
    methods = {**BASE["methods"], "pca-components-2": {"kind": "pca"}}
    with pytest.raises(ConfigError, match=r"analyses\.a\.scan: (wnae|pca)-\S+ is the name of two methods"):
        plan({"a": {"background": ["top"], **own}}, methods=methods)


def test_an_analysis_of_images_alone_has_no_experiments_and_no_variations():
    weights = {"weights": {"own": {"nominal": "w", "up": "u", "down": "d"}}}
    analyses = {"a": {"methods": ["network"]}, "b": {"methods": ["ae"]}}
    methods = {**BASE["methods"], "network": {"kind": "vae"}}
    found = plan(analyses, methods=methods, features={"corrections": weights})
    assert [path for path in found.experiments() if "/a/" in path] == []
    assert "results/b/experiments.md" in found.experiments()
    made = found.all_variations(["a", "b"])
    assert made
    assert all("/b/" in path for path in made)
    assert found.vae_models("a", "network", [3]) == ["results/a/models/network/seed-3/beta-1e-08/model.pt"]
