"""The environments of the stages and the lock name the same versions."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ENVS = Path(__file__).parents[2] / "envs"
LOCK = {word for name in ("requirements", "torch-cuda") for word in (ENVS / f"{name}.lock").read_text().split()}
PYTHONS = ("3.11", "3.12", "3.13")


@pytest.mark.parametrize("path", sorted(ENVS.glob("*.yaml")), ids=lambda path: path.stem)
def test_pins_are_those_of_the_lock(path):
    pins = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    assert pins
    assert {pin.lower().replace("_", "-") for pin in pins} <= LOCK


@pytest.mark.parametrize("name", ["requirements", "torch-cuda"])
def test_every_package_of_a_lock_has_a_hash(name):
    packages = re.split(r"^(?=\S)", (ENVS / f"{name}.lock").read_text(), flags=re.MULTILINE)[2:]
    assert len(packages) > 10
    assert [text.split()[0] for text in packages if "--hash=sha256:" not in text] == []


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_what_the_package_needs_for_each_python(python):
    lock = [
        Requirement(line.rstrip(" \\"))
        for line in (ENVS / "requirements.lock").read_text().splitlines()
        if "==" in line
    ]
    lock += [
        Requirement(line.rstrip(" \\")) for line in (ENVS / "torch-cuda.lock").read_text().splitlines() if "==" in line
    ]
    where = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    where |= {"platform_machine": "x86_64", "platform_python_implementation": "CPython"}
    there: dict[str, str] = {}
    for entry in lock:
        if entry.marker is None or entry.marker.evaluate(where):
            assert entry.name not in there
            there[entry.name] = str(entry.specifier).removeprefix("==")
    project = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(project["requires-python"]).contains(f"{python}.0")
    for text in project["dependencies"]:
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate(where):
            assert wanted.specifier.contains(there[wanted.name.lower()]), text
    assert ("energyflow" in there) is (python != "3.13")


@pytest.mark.parametrize(
    ("version", "said"), [((3, 10, 2), "is Python 3.10; oddjet needs"), ((3, 14, 0), "is Python 3.14")]
)
def test_setup_says_which_pythons_it_takes(version, said, monkeypatch):
    specification = importlib.util.spec_from_file_location("check_python", ENVS / "check_python.py")
    program = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(program)
    assert program.obstacle() == ""
    monkeypatch.setattr(sys, "version_info", version)
    assert said in program.obstacle()


def test_every_rule_has_an_environment_that_exists():
    rules = "".join(path.read_text() for path in ENVS.parent.glob("rules/*.smk"))
    named = {word.strip('"').rpartition("/")[2] for word in rules.split() if word.startswith('"../envs/')}
    assert named == {path.name for path in ENVS.glob("*.yaml")}
