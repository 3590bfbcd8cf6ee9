"""The configuration: what is shipped fits, what does not fit is named by its dotted path, stages get their own part."""

import copy
import json
from pathlib import Path

import pytest

from oddjet.config import Config, load_config
from oddjet.configfile import read_configuration
from oddjet.errors import ConfigError
from oddjet.methods import approximate, baselines, ensembles, trained, with_models
from oddjet.samples import signal_name

CONFIG = Path(__file__).parents[2] / "config"
# What is put on top of another one, and of which; the others stand alone.
ADDED = dict.fromkeys(CONFIG.glob("add/*.yaml"), CONFIG / "config.yaml")
ADDED[CONFIG / "test/with_images.yaml"] = CONFIG / "test/tiny.yaml"
SHIPPED = sorted([*CONFIG.glob("*.yaml"), *CONFIG.glob("*/*.yaml")])

SMALL = {
    "samples": {"top": {"kind": "background", "process": {"name": "top_pairs"}, "events": 10, "parts": 3}},
    "signals": {"m_phi": [2000], "r_inv": [0.1, 0.3], "events": 5},
    "methods": {"ae": {"kind": "ae"}},
}


def changed(path: str, value: object) -> dict:
    """The small configuration with one key set, by its dotted path; the value `del` takes the key out."""
    given = copy.deepcopy(SMALL)
    *parents, last = path.split(".")
    section = given
    for parent in parents:
        section = section.setdefault(parent, {})
    if value == "del":
        del section[last]
    else:
        section[last] = value
    return given


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(CONFIG)))
def test_shipped_configurations_fit(path):
    config = load_config(read_configuration([*([ADDED[path]] if path in ADDED else []), path]))
    for analysis in config.all_analyses().values():
        assert analysis.background
        assert analysis.signals


def test_the_schema_is_what_the_models_say():
    assert json.loads((CONFIG / "config.schema.json").read_text()) == Config.model_json_schema(), "run `make schema`"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sead", 1, r"sead: unknown key \(given: 1\)"),
        ("seed", -1, r"seed: Input should be greater than or equal to 0 \(given: -1\)"),
        ("samples.top.evnts", 1, r"samples\.top\.evnts: unknown key"),
        ("samples.top.events", "del", r"samples\.top\.events: Field required"),
        ("samples.top.events", 2, r"samples\.top: .*3 files cannot share 2 events"),
        ("samples.top.process.pthat_min", -1, r"samples\.top\.process\.pthat_min: .*greater than.*\(given: -1\)"),
        ("samples.top.process.name", "topp", r"samples\.top\.process.*'top_pairs'.*"),
        (
            "samples.top.kind",
            "data",
            r"samples\.top\.kind: Input should be 'background', 'test_background' or 'signal' \(given: 'data'\)",
        ),
        ("samples.top.cross_section", 0, r"samples\.top\.cross_section: Input should be greater than 0"),
        (
            "samples.qcd",
            {**SMALL["samples"]["top"], "cross_section": 2.0},
            r"samples\.top: no cross_section, but other background samples have one",
        ),
        ("samples.a;b", SMALL["samples"]["top"], "the name 'a;b' may hold letters"),
        ("samples.../x", SMALL["samples"]["top"], "may hold letters"),
        (
            "samples.own",
            {"kind": "signal", "files": ["a.root"]},
            r"signals: own has no m_phi, and svj_mphi-2000_rinv-0p1 has; give it under samples\.own\.point",
        ),
        ("samples.own", {"kind": "background", "files": []}, r"samples\.own\.files: .*at least 1 item"),
        ("samples.svj_mphi-2000_rinv-0p3", SMALL["samples"]["top"], "is also a point of `signals`"),
        ("samples.top.kind", "signal", "none is of kind 'background'"),
        ("samples", {}, "none is of kind 'background'"),
        ("signals", {}, "signals: there is none"),
        ("signals.r_inv", [0.1, 1.2], r"signals\.r_inv\.1: .*less than or equal to 1 \(given: 1.2\)"),
        ("signals.events", {2000: [5]}, "1 numbers for m_phi 2000, r_inv has 2 values"),
        ("signals.m_phi", [100], r"signals: m_phi: .*greater than or equal to 200 \(given: 100"),
        ("signals.m_dark", 300, r"signals: m_dark: .*less than or equal to 100"),
        ("features.radios", 1, r"features\.radios: unknown key"),
        ("dataset.features", ["tau2", "tau9"], r"dataset\.features: 'tau9' is not among what `features"),
        ("methods", {}, r"methods: .*at least 1 item"),
        ("methods.ae.kind", "cnn", r"methods\.ae: kind: there is no 'cnn'\. .*wnae.*deep_svdd, mean.*, vae"),
        ("methods.mean", {"kind": "ensemble", "of": "ae"}, r"methods\.mean: kind: .* is now of kind 'mean'"),
        ("seeds", [1, 1], "holds a seed twice"),
        ("methods.mean", {"kind": "mean", "of": "wnae"}, r"methods\.mean\.of: 'wnae' is no method; .* \['ae'\]"),
        ("methods.mean", {"kind": "mean", "of": ["ae", "mean"]}, r"methods\.mean\.of: a mean of itself"),
        ("methods.mean", {"kind": "mean", "of": ["ae", "ae"]}, r"methods\.mean\.of: ae stands twice"),
        ("methods.mean", {"kind": "mean", "of": []}, r"methods\.mean\.of: .*at least 1 item"),
        ("methods.mean", {"kind": "mean"}, r"methods\.mean\.of: Field required"),
        ("methods.mean", {"kind": "mean", "of": "ae", "training": {}}, r"methods\.mean\.training: unknown key"),
        (
            "methods",
            {"ae": {"kind": "ae"}, "one": {"kind": "mean", "of": "ae"}, "two": {"kind": "mean", "of": "one"}},
            r"methods\.two\.of: 'one' is a mean; name its members instead",
        ),
    ],
)
def test_what_does_not_fit_is_named(path, value, message):
    given = changed(path, value) if "/" not in path else {**SMALL, "samples": {"../x": value}}
    with pytest.raises(ConfigError, match=message):
        load_config(given)


def test_events_are_shared_and_none_is_lost():
    top = load_config(SMALL).all_samples()["top"]
    assert [top.events_of(part) for part in range(top.parts)] == [4, 3, 3]


def test_events_by_grid_point():
    config = load_config(changed("signals.events", {2000: [5, 7]}))
    assert [config.all_samples()[signal_name(2000, r_inv)].events for r_inv in (0.1, 0.3)] == [5, 7]


def test_a_sample_without_a_kind_is_neither_background_nor_signal():
    process = {"name": "svj", "m_phi": 2000, "r_inv": 0.3}
    config = load_config({**SMALL, "samples": {**SMALL["samples"], "more": {"process": process, "events": 10}}})
    before = load_config(SMALL)
    for kind in ("background", "signal"):
        assert config.of_kind(kind) == before.of_kind(kind)


def test_an_ensemble_is_a_method_without_a_model():
    methods = {
        "ae": {"kind": "ae"},
        "pca": {"kind": "pca"},
        "wnae": {"kind": "wnae", "loss": {"transport": "sinkhorn"}},
    }
    methods |= {"mean": {"kind": "mean", "of": "ae"}, "all": {"kind": "mean", "of": ["ae", "wnae", "pca"]}}
    config = load_config({**SMALL, "methods": methods})
    assert ensembles(config.methods) == {"mean": ("ae",), "all": ("ae", "wnae", "pca")}
    assert (trained(config.methods), baselines(config.methods)) == (["ae", "wnae"], ["pca"])
    assert with_models(config.methods) == ["ae", "pca", "wnae"]
    # What approximates stays labelled inside an ensemble.
    assert approximate(config.methods) == ["wnae", "all"]
    assert load_config(json.loads(config.model_dump_json())) == config
    with pytest.raises(ConfigError, match=r"contamination\.methods: 'mean' is a mean, which trains nothing"):
        load_config({**SMALL, "methods": methods, "contamination": {"methods": ["ae", "mean"]}})


def test_names_of_grid_points():
    assert signal_name(2000, 0.3) == "svj_mphi-2000_rinv-0p3"
    assert signal_name(1500.5, 0.0) == "svj_mphi-1500p5_rinv-0"
    assert load_config(SMALL).of_kind("signal") == ["svj_mphi-2000_rinv-0p1", "svj_mphi-2000_rinv-0p3"]


def test_groups_hold_every_seed_once():
    config = load_config({**SMALL, "seeds": [1, 2, 5], "seeds_per_job": 2})
    assert config.all_analyses()["jets"].groups() == {"seeds-1-2": (1, 2), "seeds-5": (5,)}


def test_a_stage_sees_its_own_settings_alone():
    before, after = load_config(SMALL), load_config(changed("features.pt_min", 400))
    assert before.features.model_dump_json() != after.features.model_dump_json()
    for stage in ("simulation", "dataset", "evaluation"):
        assert getattr(before, stage).model_dump_json() == getattr(after, stage).model_dump_json()
