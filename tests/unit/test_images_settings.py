"""Settings of the images: what is refused, and that the three configurations fit."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from oddjet.config import load_config
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


def test_a_method_is_of_medoids_unless_it_says_otherwise():
    given = {"near": {"metric": "mae"}, "far": {"kind": "medoids", "combination": "sum"}, "network": {"kind": "vae"}}
    settings = ImagesSettings.model_validate({"methods": given})
    assert [method.kind for method in settings.methods.values()] == ["medoids", "medoids", "vae"]
    assert settings.vae_methods()["network"].metric == "mse"
    assert ImagesSettings.model_validate(settings.model_dump(mode="json")) == settings


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
        ({"methods": {"a": {"kind": "cnn"}}}, "is medoids or vae"),
        ({"methods": {"a": {"kind": "vae", "medoids": 3}}}, "Extra inputs"),
        ({"methods": {"a": {"depth": 2}}}, "Extra inputs"),
        ({"methods": {"a": {"kind": "vae", "betas": []}}}, "at least 1 item"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        ImagesSettings.model_validate(given)
