"""The environments of the stages and the lock name the same versions."""

from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).parents[2] / "envs"
LOCK = set((ENVS / "requirements.lock").read_text().split())


@pytest.mark.parametrize("path", sorted(ENVS.glob("*.yaml")), ids=lambda path: path.stem)
def test_pins_are_those_of_the_lock(path):
    pins = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    assert pins
    assert set(pins) <= LOCK


def test_every_rule_has_an_environment_that_exists():
    rules = "".join(path.read_text() for path in ENVS.parent.glob("rules/*.smk"))
    named = {word.strip('"').rpartition("/")[2] for word in rules.split() if word.startswith('"../envs/')}
    assert named == {path.name for path in ENVS.glob("*.yaml")}
