"""Settings of the images: what is refused, and that the three configurations fit."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from oddjet.config import load_config
from oddjet.errors import ConfigError
from oddjet.images.settings import ImageJetSettings, ImagesSettings

CONFIG = Path(__file__).parents[2] / "config"
QCD = {"process": {"name": "qcd"}, "events": 10}


@pytest.mark.parametrize("name", ["config.yaml", "paper.yaml", "test/tiny.yaml"])
def test_the_configurations_have_the_three_samples(name):
    images = load_config(yaml.safe_load((CONFIG / name).read_text())).images
    assert list(images.samples) == ["qcd", "top", "w"]
    assert images.signals() == ["top", "w"]
    assert [images.samples[sample].require_match for sample in images.samples] == ["none", "top", "w"]


def test_the_width_follows_the_radius():
    assert ImageJetSettings().side == pytest.approx(3.2)
    assert ImageJetSettings(radius=0.8).side == pytest.approx(2.56)
    assert ImageJetSettings(radius=0.8, width=2.0).side == 2.0


def test_events_are_shared_among_parts():
    given = {"samples": {"qcd": {**QCD, "events": 11, "parts": 3}, "top": QCD}}
    sample = ImagesSettings.model_validate(given).samples["qcd"]
    assert [sample.events_of(part) for part in range(3)] == [4, 4, 3]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"samples": {"qcd": {}, "top": QCD}}, "process\n  Field required"),
        ({"samples": {"qcd": {**QCD, "files": ["a.root"]}, "top": QCD}}, "process\n  Extra inputs"),
        ({"samples": {"qcd": {**QCD, "kind": "background"}, "top": QCD}}, "kind: background: images read no such key"),
        ({"samples": {"qcd": {**QCD, "cross_section": 2}, "top": QCD}}, "cross_section: 2.0: images read no such"),
        ({"samples": {"qcd": {"files": ["a"], "kind": "data"}, "top": QCD}}, "kind: data: images read no such key"),
        ({"samples": {"qcd": {**QCD, "where": "event >"}, "top": QCD}}, "event >"),
        ({"jets": {"subleading_pt_min": 500}}, r"subleading_pt_min \(500\) must not be above leading_pt_min \(450\)"),
        ({"samples": {"qcd": {**QCD, "events": 2, "parts": 3}, "top": QCD}}, "3 files cannot share 2 events"),
        ({"samples": {"q c d": QCD, "top": QCD}}, "match pattern"),
        ({"samples": {"qcd": QCD}, "ensembles": {"references": ["qcd"]}}, "there must be a signal"),
        ({"background": "dijets"}, "no sample 'dijets'"),
        ({"ensembles": {"references": ["w", "z"]}}, "no sample 'z'"),
        ({"ensembles": {"metrics": ["mae", "mae"]}}, "names one twice"),
        ({"ensembles": {"metrics": ["emd"]}}, "match pattern"),
        ({"medoids": {"largest": 3}}, "greater than or equal to 4"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        ImagesSettings.model_validate(given)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"a": {"kind": "cnn"}}, "methods.a: kind: there is no 'cnn'"),
        ({"a": {"kind": "vae_scan", "jets": 5}}, "methods.a: kind: there is no 'vae_scan'"),
        ({"a": {"kind": "vae", "medoids": 3}}, "methods.a.medoids"),
        ({"a": {"kind": "medoids", "depth": 2}}, "methods.a.depth"),
        ({"a": {"kind": "vae", "betas": []}}, "methods.a.betas"),
        ({"a": {"kind": "medoids"}, "b": {"kind": "mean", "of": "a"}}, "'a' sees images, and a mean takes methods of"),
    ],
)
def test_a_method_that_sees_images_is_checked_as_any_other(methods, message):
    config = yaml.safe_load((CONFIG / "test/tiny.yaml").read_text())
    with pytest.raises(ConfigError, match=message):
        load_config({**config, "methods": methods})


def test_what_sinkhorn_cannot_train_is_refused():
    config = yaml.safe_load((CONFIG / "test/tiny.yaml").read_text())
    config["images"]["vae"]["transport"] = "sinkhorn"
    config["methods"]["deep"] = {"kind": "vae", "metric": "wass0p5"}
    with pytest.raises(ConfigError, match=r"methods\.deep: Sinkhorn's divergence is for wass1 and wass2"):
        load_config(config)


def test_methods_of_an_older_configuration_get_their_place():
    config = yaml.safe_load((CONFIG / "test/tiny.yaml").read_text())
    config["images"]["methods"] = {"near": {"metric": "mae"}}
    with pytest.raises(ConfigError, match=r"images\.methods is gone: write its entries among methods"):
        load_config(config)
