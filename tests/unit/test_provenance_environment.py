"""Other software's variables reach neither the jobs nor the programs that are started by hand."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from oddjet.provenance.environment import SAME_ARITHMETIC, TEMPORARY_FOLDERS, has_avx2, job_environment
from oddjet.titles import check_formulas

ROOT = Path(__file__).parents[2]
FIGURE = """
import io
import matplotlib.pyplot as plt
from oddjet.plotting.style import figure_style
from matplotlib.figure import Figure
with figure_style():
    figure = Figure()
    figure.subplots().set_title("x")
    figure.savefig(sys.argv[1], metadata={"Software": None})
"""


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_jobs_import_this_package_alone(tmp_path):
    given = job_environment(ROOT, tmp_path, {"PYTHONPATH": "/cvmfs/view", "HOME": str(tmp_path)})
    own = {"ODDJET": str(ROOT), "PYTHONPATH": str(ROOT / "src"), "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}
    assert given == own | (SAME_ARITHMETIC if has_avx2() else {})
    given = job_environment(ROOT, tmp_path, {"PATH": "/bin", "HOME": str(tmp_path)}, python="/venv/bin/python")
    assert given["PATH"] == "/venv/bin:/bin"


def test_temporary_files_lie_in_the_run_folder_where_their_place_takes_none(tmp_path):
    usual = tmp_path / "usual"
    usual.mkdir()
    given = {"HOME": str(tmp_path), "TMPDIR": str(usual)}
    assert not {*TEMPORARY_FOLDERS} & job_environment(ROOT, tmp_path, given).keys()
    # Snakemake's scheduler looks at TMP first, Python at TMPDIR.
    own = job_environment(ROOT, tmp_path, {**given, "TMP": str(tmp_path / "gone")})
    assert {own[name] for name in TEMPORARY_FOLDERS} == {str(tmp_path / ".snakemake/tmp")}


DISPATCHED = """
import numpy
core = getattr(numpy, "_core", None) or numpy.core
umath = core._multiarray_umath
print(*(name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]))
"""


def test_numpy_takes_no_code_that_only_some_processors_have():
    """Whatever this numpy calls its groups of instructions: beyond AVX2 none is left that it would choose."""
    beyond = [name for name in run(DISPATCHED, **SAME_ARITHMETIC).stdout.split() if re.match("AVX512|X86_V[4-9]", name)]
    assert beyond == []
    assert "AVX2" in run(DISPATCHED).stdout or "X86_V3" in run(DISPATCHED).stdout or not has_avx2()


PRINT = """
import json, os, sys
from pathlib import Path
from oddjet.provenance.environment import job_environment
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(json.dumps(job_environment(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))))
"""


@pytest.fixture
def as_nobody():
    """Give a function that asks for the environment as a user who has no home that can be written."""
    folder = Path(tempfile.mkdtemp())
    (folder / "src/oddjet/detectors").mkdir(parents=True)
    folder.chmod(0o755)
    if os.geteuid() != 0:
        (folder / "src/oddjet/detectors").chmod(0o555)

    def ask(given: dict[str, str]) -> dict[str, str]:
        command = [sys.executable, "-c", PRINT, str(folder), "/run", json.dumps(given)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    yield ask
    (folder / "src/oddjet/detectors").chmod(0o755)
    shutil.rmtree(folder)


def test_caches_lie_in_the_run_folder_where_their_usual_places_cannot_be_written(as_nobody):
    asked = as_nobody({"HOME": "/nonexistent"})
    assert asked["NUMBA_CACHE_DIR"] == "/run/.snakemake/caches/kernels"
    assert asked["MPLCONFIGDIR"] == "/run/.snakemake/caches/matplotlib"
    named = {"HOME": "/nonexistent", "NUMBA_CACHE_DIR": "/here", "MPLCONFIGDIR": "/there"}
    named |= dict.fromkeys(SAME_ARITHMETIC, "as the user says")
    assert set(as_nobody(named)) == {"ODDJET", "PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONUTF8"}


def test_a_backend_and_a_style_of_the_users_change_no_figure(tmp_path):
    program = "import sys\nimport oddjet.plotting\n" + FIGURE
    plain = run(program, str(tmp_path / "plain.png"))
    assert plain.returncode == 0, plain.stderr
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\naxes.titlesize: 40\nfigure.facecolor: red\n")
    backend = "module://matplotlib_inline.backend_inline"
    odd = run(program, str(tmp_path / "odd.png"), MPLBACKEND=backend, MATPLOTLIBRC=str(tmp_path))
    assert odd.returncode == 0, odd.stderr
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "odd.png").read_bytes()


def test_pythia_reads_its_own_data_and_not_that_of_another(tmp_path):
    program = "from oddjet.simulation.generate import new_pythia\nprint(new_pythia().readString('HardQCD:all = on'))"
    done = run(program, PYTHIA8DATA=str(tmp_path))
    assert done.stdout.endswith("True\n"), done.stdout + done.stderr


SUM = """
from oddjet.kernels import kernel
from oddjet.lanes import fused
from oddjet.provenance.kernel_cache import kernel_modules
@kernel
def product(x):
    return fused(x, x, 1.0)
print(product(3.0), len(kernel_modules()) > 3)
"""


@pytest.mark.parametrize(
    "shell",
    [
        {"NUMBA_DISABLE_JIT": "1"},
        {"NUMBA_NUM_THREADS": "0"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_kernels_are_compiled_whatever_a_shell_says_of_numba_and_letters(tmp_path, shell):
    (tmp_path / "sum.py").write_text(SUM)
    done = run("import runpy, sys; runpy.run_path(sys.argv[1])", str(tmp_path / "sum.py"), **shell)
    assert done.stdout == "10.0 True\n", done.stdout + done.stderr


def test_formulas():
    check_formulas(r"CMS $\sqrt{s}$ = 13 TeV, \$5")
    with pytest.raises(ValueError, match=r"^[^\n]*foo[^\n]*$"):
        check_formulas(r"$\foo$")


def test_avx2_is_what_the_processor_is_said_to_have(tmp_path):
    described = tmp_path / "cpuinfo"
    for flags, expected in (("fpu avx avx2 fma", True), ("fpu avx avx2x fma", False), ("avx2", False)):
        described.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
        assert has_avx2(described) is expected
    assert not has_avx2(tmp_path / "absent")


LOGARITHMS = """
import hashlib, sys
import numpy as np
values = np.random.default_rng(1).uniform(0.01, 9, 10_000)
square = values.reshape(100, 100)
parts = (np.log(values), np.exp(values), np.arctan2(values, values[::-1]), square @ square)
print(*(hashlib.sha256(part.tobytes()).hexdigest() for part in parts))
"""


@pytest.mark.skipif(not has_avx2(), reason="this processor has no AVX2")
def test_functions_and_products_are_those_of_avx2():
    ours = run(LOGARITHMS, **SAME_ARITHMETIC)
    assert ours.returncode == 0
    assert ours.stderr == ""
    # Another choice that numpy and OpenBLAS would make by themselves on a processor without AVX-512.
    zen = run(LOGARITHMS, **{**SAME_ARITHMETIC, "OPENBLAS_CORETYPE": "Zen"})
    assert zen.stdout == ours.stdout
