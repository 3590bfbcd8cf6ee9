"""Titles of methods and samples: given ones, those of their names, and that they change no result."""

import copy
from pathlib import Path

import pytest

from oddjet.config import load_config
from oddjet.configfile import read_configuration
from oddjet.errors import ConfigError
from oddjet.titles import Titles, default_title

FILES = [Path(__file__).parents[2] / "config/test" / name for name in ("tiny.yaml", "with_images.yaml")]
TINY = read_configuration(FILES)


def titled(**titles: str) -> dict:
    config = copy.deepcopy(TINY)
    for name, title in titles.items():
        config["methods"][name]["title"] = title
    return config


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("nae_logcosh", "NAE (log cosh)"),
        ("wnae_short_standard", "WNAE short standard"),
        ("isolation_forest", "isolation forest"),
        ("image_vae", "image VAE"),
        ("ot_3d_pt30", "3D OT, pT / 30 GeV"),
        ("ot_2d_n100", "2D OT, N = 100"),
        ("ot_3d_medoids3", "3D OT to 3 medoids"),
    ],
)
def test_a_name_without_a_title_shows_its_words(name: str, title: str) -> None:
    assert default_title(name) == title


def test_a_given_title_is_shown_and_steers_nothing() -> None:
    before, after = (load_config(config) for config in (titled(), titled(wnae="our WNAE", image_mae="nearest medoid")))
    assert after.methods["wnae"].title == "our WNAE"
    assert after.methods["image_mae"].title == "nearest medoid"
    assert after.methods["wnae"].model_dump_json() == before.methods["wnae"].model_dump_json()
    assert after.values() == before.values()


def test_the_title_of_a_sample_is_for_figures_and_steers_nothing() -> None:
    config = titled()
    config["samples"]["top"]["title"] = r"$t\bar{t}$"
    before, after = load_config(titled()), load_config(config)
    assert after.samples["top"].title == r"$t\bar{t}$"
    assert after.values() == before.values()
    titles = Titles(samples={"top": r"$t\bar{t}$"})
    assert [titles.sample(name) for name in ("top", "qcd", "w_jets", "svj")] == [r"$t\bar{t}$", "QCD", "W jets", "SVJ"]


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({"title": "QCD"}, "samples: qcd and top have the same title, 'QCD'; change one"),
        ({"title": "two\nlines"}, r"samples\.top\.title: one line of text is wanted"),
        ({"title": "$x_$"}, r"samples\.top\.title: no formula stands between"),
    ],
)
def test_a_title_of_a_sample_that_cannot_be_shown_is_refused(sample: dict[str, str], words: str) -> None:
    config = titled()
    config["samples"] = {"qcd": {**config["samples"]["top"], "kind": "test_background"}, **config["samples"]}
    config["samples"]["top"].update(sample)
    with pytest.raises(ConfigError, match=words):
        load_config(config)


def test_a_scanned_method_says_what_was_changed() -> None:
    config = titled(wnae="our WNAE") | {"analyses": {"jets": {"scan": {"wnae": {"training.batch_size": [32, 64]}}}}}
    methods = load_config(config).all_analyses()["jets"].methods
    assert [methods[name].title for name in methods if "-" in name] == [
        "our WNAE, batch size 32",
        "our WNAE, batch size 64",
    ]


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        ({"wnae": "AE"}, "ae and wnae have the same title, 'AE'"),
        ({"wnae": "two\nlines"}, r"methods\.wnae\.title: one line of text is wanted"),
        ({"wnae": ""}, r"methods\.wnae\.title: "),
    ],
)
def test_a_title_that_cannot_be_shown_is_refused(titles: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_config(titled(**titles))


def test_tables_mark_approximate_losses() -> None:
    titles = Titles({"wnae": "our WNAE"}, ("wnae",))
    assert [titles("wnae"), titles.in_table("wnae"), titles.in_table("ae")] == [
        "our WNAE",
        "our WNAE (approximate)",
        "AE",
    ]
    assert "Sinkhorn" in titles.notes()[0]
    assert not Titles().notes()
