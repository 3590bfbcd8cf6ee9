"""Every key of the configuration is changed in turn: the stage that reads it reruns, and nothing that stands above it.

Which stage that is, the second table of `docs/reruns.md` says.
"""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from oddjet.config import Config, ConfigError, load_config

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reruns.md").read_text().split("## Change this key, these rerun first\n")[1]
READERS = {
    key: set(re.findall(r"`([^`]+)`", rules))
    for key, rules in re.findall(r"^\| `([^`]+)` \| (.*) \|$", PAGE, re.MULTILINE)
}
# The tiny configuration with every key written out, those too that it leaves to their defaults.
WHOLE = load_config(yaml.safe_load((ROOT / "config/test/tiny.yaml").read_text())).model_dump(mode="json")
# No other value is possible by itself: the one background sample; the one kind with members; keys that another one
# switches on.
FIXED = {
    "samples.top.kind",
    "methods.wnae.chain.latent",
    "methods.wnae.loss.negative_energy_square",
    "methods.wnae.loss.train_temperature",
    "methods.wnae_ensemble.kind",
}
# Values that must stay in step with others.
TOGETHER = {
    "features.features": {"dataset.features": ["tau2"], "dataset.log_floors": {}},
    "dataset.fractions.train": {"dataset.fractions.test": 0.2},
    "dataset.fractions.validation": {"dataset.fractions.test": 0.2},
    "dataset.fractions.test": {"dataset.fractions.train": 0.45},
}


def words(schema: object) -> Iterator[str]:
    """Give every word that the schema allows somewhere: one of them fits where another is taken out."""
    if isinstance(schema, dict):
        yield from [word for word in [*schema.get("enum", []), schema.get("const")] if isinstance(word, str)]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from words(part)


WORDS = sorted(set(words(Config.model_json_schema())))

pytestmark = pytest.mark.slow


def leaves(section: object, path: str = "") -> Iterator[str]:
    if isinstance(section, list) and section and isinstance(section[0], dict):
        section = {0: section[0]}
    if isinstance(section, dict):
        for key, value in section.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path


def keys() -> list[str]:
    # The three methods are of one model: all keys of one, and what only another one has.
    others = re.compile(r"methods\.(ae|nae)\.(?!training\.epochs|loss\.(negative_energy_square|train_temperature))")
    # Images and events are targets of their own, with tests of their own.
    elsewhere = re.compile(r"(images|events|contamination)\b")
    return [key for key in leaves(WHOLE) if key not in FIXED and not others.match(key) and not elsewhere.match(key)]


def put(config: dict, path: str, value: object) -> None:
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        config = config[part]
    config[last] = value


def get(config: object, path: str) -> object:
    for part in path.split("."):
        config = config[int(part) if part.isdigit() else part]
    return config


def others(value: object) -> Iterator[object]:
    """Values to try in the place of one."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value + 0.05, value - 0.05, value * 2, value / 2)
    elif isinstance(value, list):
        numbers = value and all(isinstance(item, int | float) for item in value)
        yield from ([*value, value[-1] * 1.5], [*value, value[-1] + 1]) if numbers else ()
        yield value[:-1]
        yield from ([other, *value[1:]] for other in others(value[0]))
    elif value is None:
        yield from (1, 0.5, *WORDS)
    else:
        yield from WORDS
        yield f"{value} "


def changed(path: str) -> dict:
    """Change one key to the first value that fits and makes a difference."""
    for value in others(get(WHOLE, path)):
        config = copy.deepcopy(WHOLE)
        put(config, path, value)
        for other, partner in TOGETHER.get(path, {}).items():
            put(config, other, partner)
        try:
            if load_config(config).model_dump(mode="json") != WHOLE:
                return config
        except ConfigError:
            continue
    pytest.fail(f"no other value of {path} fits: add one")


def readers(path: str) -> set[str]:
    """Rules of the longest key that fits, and of those the one that names most; `*` stands for one part."""
    parts = path.split(".")
    fitting = [
        key
        for key in READERS
        if len(key.split(".")) <= len(parts)
        and all(name in ("*", part) for name, part in zip(key.split("."), parts, strict=False))
    ]
    return READERS[max(fitting, key=lambda key: (key.count("."), -key.count("*")))]


@pytest.fixture
def dry_run(finished, dry_runs):
    """Give a function that returns the jobs that a configuration would run in the finished workspace."""

    def run(config: dict):
        # JSON is YAML, and keeps 1e-5 a number.
        (finished.folder / "config/changed.yaml").write_text(json.dumps(config))
        return dry_runs("--configfile", "config/changed.yaml")

    return run


def test_writing_out_the_defaults_reruns_nothing(dry_run):
    assert dry_run(WHOLE) == []


@pytest.mark.parametrize("key", keys())
def test_a_key_reruns_the_stage_that_reads_it(dry_run, key):
    jobs = dry_run(changed(key))
    first = [job for job in jobs if job.first]
    assert {job.rule for job in first} == readers(key), {job.reason for job in first}
    if key.startswith("methods."):
        assert {job.method for job in first} == {key.split(".")[1]}


def test_two_numbers_that_trade_places_rerun(dry_run):
    # Snakemake compares the values of a rule as a set.
    config = copy.deepcopy(WHOLE)
    config["seed"], config["samples"]["top"]["events"] = 250, 14
    assert "simulate_sample" in {job.rule for job in dry_run(config)}


def test_every_line_of_the_page_is_about_a_key():
    used = {key for key in READERS for path in keys() if readers(path) is READERS[key]}
    assert used == set(READERS)
