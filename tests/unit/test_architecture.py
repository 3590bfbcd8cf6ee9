"""The floors of the library: a module imports only what stands below it; parsing the workflow imports nothing heavy."""

import ast
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "oddjet"
SCRIPTS = SRC.parents[1] / "workflow" / "scripts"
FLOORS = {
    "errors": 0,
    "addresses": 0,
    "arrays": 0,
    "settings": 0,
    "axes": 0,
    "titles": 2,
    "messages": 0,
    "configfile": 1,
    "program": 0,
    "weighted": 0,
    "batches": 1,
    "benchmarks": 1,
    "run_record": 1,
    "clusters": 2,
    "sources": 2,
    "selection": 1,
    "transport": 3,
    "plotting": 1,
    "provenance": 1,
    "lanes": 2,
    "kernels": 2,
    # Whatever writes a file, or a table to read, does it this way.
    "io.atomic": -1,
    "report.markdown": 0,
    "io": 4,
    "jets": 5,
    "simulation": 5,
    "dataset": 5,
    # The loop knows no network; what is trained stands above it, and above the tables and images that it is trained on.
    "training": 5,
    # Above `jets`, whose clustering it uses, and above `dataset`, whose split by event it shares.
    "images": 6,
    "detectors": 7,
    "tagging": 8,
    "evaluation": 8,
    "events": 8,
    "bundle": 9,
    "report": 9,
    "studies": 9,
    # These bring together what stands above their room.
    "images.settings": 9,
    "images.plan": 9,
    "images.tables": 9,
    "samples": 8,
    "sample_files": 10,
    "methods": 10,
    "analyses": 11,
    "config": 12,
    "inputs": 13,
    "jobs": 13,
    "analysis_files": 13,
    "plan": 14,
    "paper_figures": 15,
    "published": 15,
    "results": 15,
    "config_template": 13,
    "forecast": 13,
    "cli": 16,
}
# What every room may use.
FOUNDATION = ("arrays", "errors", "messages", "settings")
HEAVY = {
    "awkward",
    "energyflow",
    "fastjet",
    "h5py",
    "matplotlib",
    "numba",
    "ot",
    "pythia8mc",
    "scipy",
    "sklearn",
    "torch",
    "uproot",
}
# What takes long to import, and the programs that import it as they start: all others have it in a function, or not.
OF_NETWORKS = (
    "correlate_vae measure_event_latency measure_fit sample_negatives summarize_vae train_cnn train_model train_vae"
)
OF_ROOT_FILES = "extract_features make_images simulate_*"
STARTS = {
    "awkward": OF_ROOT_FILES,
    "energyflow": "",
    "fastjet": "simulate_events",
    "matplotlib": "plot_*",
    "numba": f"classify_events extract_features make_images {OF_NETWORKS}",
    "ot": "",
    "pythia8mc": "simulate_*",
    "scipy": "",
    "sklearn": "measure_event_latency train_ceilings",
    "torch": f"compare_ensembles compare_experiments fit_baseline make_bundle measure_snapshots monitor_training"
    f" quantize_bundle {OF_NETWORKS}",
    "uproot": OF_ROOT_FILES,
    "vector": "",
}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def floor(module: str) -> int:
    return FLOORS.get(".".join(module.split(".")[1:3]), FLOORS[room(module)])


def modules() -> list[Path]:
    return sorted(path for path in SRC.rglob("*.py") if path.parent != SRC or path.stem != "__init__")


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.startswith("oddjet.")}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SRC)))
def test_imports_point_down(path):
    own = path.relative_to(SRC).parts[0].removesuffix(".py")
    assert own in FLOORS, f"{own} has no floor: put it into FLOORS and the design"
    height = FLOORS.get(f"{own}.{path.stem}", FLOORS[own])
    wrong = {
        name for name in imported(path) if room(name) != own and floor(name) >= height and room(name) not in FOUNDATION
    }
    assert not wrong, f"{path.relative_to(SRC)} (floor {height}) imports {sorted(wrong)}"


def test_packages_re_export_nothing():
    for path in SRC.rglob("__init__.py"):
        if path == SRC / "__init__.py":
            continue  # the interface for users, which imports nothing heavy: tests/unit/test_tagging.py
        docstring, *body = ast.parse(path.read_text()).body
        assert isinstance(docstring, ast.Expr), path
        # What must be so before other software is imported may be set there; a name may not.
        for node in body:
            assert ast.unparse(node) == "import os" or ast.unparse(node).startswith("os.environ["), path


def test_the_configuration_imports_nothing_heavy():
    program = "import sys, oddjet.config, oddjet.sources, oddjet.provenance.digest; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not HEAVY & set(loaded)
    assert "numpy" not in loaded


@cache
def imported_at_once(path: Path) -> set[str]:
    """Name what importing a module imports itself: what stands in no function, and not for types alone."""
    names: set[str] = set()
    waiting = list(ast.parse(path.read_text()).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.If | ast.Try | ast.With) and "TYPE_CHECKING" not in ast.unparse(node).split(":")[0]:
            waiting += node.body
    return names


def started_with(path: Path) -> set[str]:
    """Name the other packages that a program imports before it does anything."""
    found: set[str] = set()
    waiting, seen = [path], set()
    while waiting:
        if (one := waiting.pop()) in seen:
            continue
        seen.add(one)
        for name in imported_at_once(one):
            place = SRC.parent.joinpath(*name.split("."))
            own = [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
            waiting += own if name.startswith("oddjet") else []
            found |= set() if name.startswith("oddjet") else {name.split(".")[0]}
    return found


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_a_program_starts_with_no_package_that_it_does_not_need(path):
    allowed = {
        package for package, programs in STARTS.items() if any(fnmatch(path.stem, one) for one in programs.split())
    }
    assert started_with(path) & set(STARTS) <= allowed


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_is_thin(path):
    assert len(path.read_text().splitlines()) < 60


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_a_script_has_the_parser_that_keeps_its_options(path):
    """What the record of a result is made of: a parser of its own would leave them out."""
    tree = ast.parse(path.read_text())
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [call for call in calls if getattr(call, "id", getattr(call, "attr", "")) in ("parser", "ArgumentParser")]
    assert [getattr(call, "id", None) for call in made] == ["parser"]
    assert "oddjet.program" in imported(path)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SRC)))
def test_a_module_is_short(path):
    assert len(path.read_text().splitlines()) <= 450
