"""Other software's variables reach neither the jobs nor the programs that are started by hand."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from oddjet.plotting.formulas import check_formulas
from oddjet.provenance.environment import SAME_ARITHMETIC, has_avx2, job_environment

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
    own = {"ODDJET": str(ROOT), "PYTHONPATH": str(ROOT / "src"), "PYTHONNOUSERSITE": "1"}
    assert given == own | (SAME_ARITHMETIC if has_avx2() else {})
    given = job_environment(ROOT, tmp_path, {"PATH": "/bin", "HOME": str(tmp_path)}, python="/venv/bin/python")
    assert given["PATH"] == "/venv/bin:/bin"


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
    assert set(as_nobody(named)) == {"ODDJET", "PYTHONPATH", "PYTHONNOUSERSITE"}


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
    program = "from oddjet.simulation.pythia import new_pythia\nprint(new_pythia().readString('HardQCD:all = on'))"
    done = run(program, PYTHIA8DATA=str(tmp_path))
    assert done.stdout.endswith("True\n"), done.stdout + done.stderr


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
