"""The environments of the stages and the lock name the same versions."""

import ast
import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from oddjet.messages import EXTRAS
from oddjet.provenance.digest import imported_modules

ENVS = Path(__file__).parents[2] / "envs"
SOURCE = ENVS.parent / "src"
SOURCES = tuple(SOURCE.glob("oddjet/**/*.py"))
OF_MODULE = packages_distributions()
LOCK = {word for name in ("requirements", "torch-cuda") for word in (ENVS / f"{name}.lock").read_text().split()}
PYTHONS = ("3.11", "3.12", "3.13")
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in ENVS.parent.glob(".github/workflows/*.yml")}


def load(name: str) -> ModuleType:
    """Load a program of envs/, which is no package."""
    specification = importlib.util.spec_from_file_location(name, ENVS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


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
            there[canonicalize_name(entry.name)] = str(entry.specifier).removeprefix("==")
    project = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(project["requires-python"]).contains(f"{python}.0")
    extras = project["optional-dependencies"]
    locked = [*project["dependencies"], *(text for extra in load("make_locks").EXTRAS for text in extras[extra])]
    # `workflow` names other extras: "oddjet[train]".
    locked += [text for own in locked for extra in Requirement(own).extras for text in extras.get(extra, ())]
    assert len(locked) > 30
    for wanted in map(Requirement, locked):
        if wanted.name == "oddjet":
            continue
        if wanted.marker is None or wanted.marker.evaluate(where):
            assert wanted.specifier.contains(there[canonicalize_name(wanted.name)]), wanted
    assert ("energyflow" in there) is (python != "3.13")


def test_a_missing_package_is_named_with_the_extra_that_brings_it():
    extras = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    programs = {"docs", "test", "browser", "slurm", "htcondor"}  # whose packages none of our modules imports
    brought = {
        (canonicalize_name(Requirement(text).name), extra)
        for extra, texts in extras.items()
        for text in texts
        if extra not in programs and not text.startswith("oddjet[")
    }
    named = {(canonicalize_name(OF_MODULE.get(module, [module])[0]), extra) for module, extra in EXTRAS.items()}
    assert named == brought


@pytest.mark.parametrize(
    ("version", "said"), [((3, 10, 2), "is Python 3.10; oddjet needs"), ((3, 14, 0), "is Python 3.14")]
)
def test_setup_says_which_pythons_it_takes(version, said, monkeypatch):
    check = load("check_python")
    assert check.obstacle() == ""
    monkeypatch.setattr(sys, "version_info", version)
    assert said in check.obstacle()


JOBS = [job for flow in WORKFLOWS.values() for job in flow["jobs"].values()]
STEPS = [step.get("run", "") for job in JOBS for step in job["steps"]]


def test_continuous_integration_makes_what_there_is_and_installs_what_the_tests_need():
    targets = set(re.findall(r"^([a-z-]+):", (ENVS.parent / "Makefile").read_text(), re.MULTILINE))
    made = set(re.findall(r"(?:^|&& )make ([a-z-]+)", "\n".join(STEPS), re.MULTILINE))
    assert {"check", "docs", "run", "test", "test-slurm"} <= made <= targets
    # Without the lock too, whatever the tests import is there.
    (newest,) = [step for step in STEPS if "--editable '.[workflow" in step]
    assert set(newest.split("[")[1].split("]")[0].split(",")) == set(load("make_locks").EXTRAS)
    matrices = [job["strategy"]["matrix"] for job in JOBS if "strategy" in job]
    (tested,) = [matrix["python"] for matrix in matrices if "python" in matrix]
    assert tuple(tested) == PYTHONS


def test_all_files_name_one_version():
    version = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ENVS.parent / "CITATION.cff").read_text())
    codemeta = json.loads((ENVS.parent / "codemeta.json").read_text())
    assert {citation["version"], citation["preferred-citation"]["version"], codemeta["version"]} == {version}
    assert citation["license"] in codemeta["license"]


NAMED = re.compile(r'conda:\s+"../envs/(\w+)\.yaml".*?workflow/scripts/(\w+)\.py', re.DOTALL)
RULES = [pair for path in sorted(ENVS.parent.glob("rules/*.smk")) for pair in NAMED.findall(path.read_text())]
PROGRAMS = {program: environment for environment, program in RULES}


def test_every_program_has_one_environment():
    assert len(set(RULES)) == len(PROGRAMS)
    # Those of no rule are started by hand.
    every = {path.stem for path in ENVS.parent.glob("workflow/scripts/*.py")}
    assert every - set(PROGRAMS) == {"check_results", "compare_ensembles", "compare_stability"}
    assert set(PROGRAMS.values()) == {path.stem for path in ENVS.glob("*.yaml")}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


@cache
def imported_by(path: Path) -> set[str]:
    """Name the packages that a file imports, in functions too, but for those of the type checker."""

    def names(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        for child in ast.iter_child_nodes(node):
            yield from names(child)

    return {name.partition(".")[0] for name in names(ast.parse(path.read_text()))} - sys.stdlib_module_names


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_an_environment_has_what_its_programs_import(program):
    # Modules of the kinds of detectors are imported by name, where there is torch.
    kinds = [names["module"] for names in json.loads((SOURCE / "oddjet/detectors/kinds.json").read_text()).values()]
    modules = imported_modules(program, *(kinds if PROGRAMS[program] == "train" else ()))
    files = [ENVS.parent / f"workflow/scripts/{program}.py"]
    files += [path for path in SOURCES if module_of(path) in modules]
    assert len(files) > 2
    wanted = set().union(*map(imported_by, files)) - {"oddjet"}
    pins = yaml.safe_load((ENVS / f"{PROGRAMS[program]}.yaml").read_text())["dependencies"][-1]["pip"]
    there = {canonicalize_name(pin.partition("==")[0]) for pin in pins}
    # A package that is not installed here (EnergyFlow is not everywhere) has the name of its module.
    names = {module: OF_MODULE.get(module, [module]) for module in wanted}
    assert [module for module in sorted(wanted) if there.isdisjoint(map(canonicalize_name, names[module]))] == []
