"""Where compiled kernels are kept: never old, shared by equal copies, and never in the way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "oddjet"
INNER = """
from oddjet.kernels import kernel

@kernel
def inner(x):
    return x + 1.0
"""
OUTER = """
from oddjet.kernels import kernel
from oddjet.inner import inner

@kernel
def outer(x):
    return 10.0 * inner(x)
"""
OUTER_WITH_NUMBERS = OUTER.replace("10.0 * inner(x)", "inner(3) + inner(4) + inner(int(x))")
PROGRAM = """
import logging
logging.basicConfig(format="%(message)s")
from oddjet.provenance.kernel_cache import kernel_folder
from oddjet.outer import outer
print(outer(2.0), kernel_folder())
"""
COMPILED = """
from oddjet.inner import inner
compiled = [sum(kernel.stats.cache_misses.values()) for kernel in (inner, outer)]
"""


def copied(folder: Path) -> Path:
    """Give a copy of the package with two kernels more, one of which calls the other."""
    shutil.copytree(PACKAGE, folder / "oddjet", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "oddjet/inner.py").write_text(INNER)
    (folder / "oddjet/outer.py").write_text(OUTER)
    return folder


def ran(source: Path, cache: Path, **environment: str) -> tuple[float, Path, str]:
    """Run the program on a copy; return its result, the folder of its kernels and what it logged."""
    # Python's own byte code goes by time and size, which an edit of these tests leaves as they are.
    environment = {"PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(source), "NUMBA_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    value, folder = done.stdout.split()
    return float(value), Path(folder), done.stderr


def codes(cache: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in cache.rglob("*.nbc")}


def test_an_edit_of_a_called_kernel_in_another_file_is_seen(tmp_path):
    source, cache = copied(tmp_path / "source"), tmp_path / "cache"
    assert ran(source, cache)[0] == 30.0
    inner = source / "oddjet/inner.py"
    kept = inner.stat()
    inner.write_text(INNER.replace("1.0", "3.0"))
    os.utime(inner, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert ran(source, cache)[0] == 50.0
    # The code from before is still there, for what still runs: and is met again when the edit is taken back.
    before = codes(cache)
    inner.write_text(INNER)
    assert ran(source, cache)[0] == 30.0
    assert codes(cache) == before


def test_equal_copies_share_their_kernels(tmp_path):
    cache = tmp_path / "cache"
    first = ran(copied(tmp_path / "one"), cache)
    made = codes(cache)
    assert len(made) == 2
    assert ran(copied(tmp_path / "two"), cache) == first
    assert codes(cache) == made


def test_numbers_that_are_written_in_a_caller_are_one_kind(tmp_path):
    source, cache = copied(tmp_path / "source"), tmp_path / "cache"
    (source / "oddjet/outer.py").write_text(OUTER_WITH_NUMBERS)
    assert ran(source, cache)[0] == 12.0
    assert len(codes(cache)) == 2


def test_processes_that_fill_an_empty_cache_at_once(tmp_path):
    source, cache = copied(tmp_path / "source"), tmp_path / "cache"
    # Each waits for the end of its input, so that all start to compile together; the last line tells what it compiled.
    program = f"import sys\nsys.stdin.read()\n{PROGRAM}\n{COMPILED}\nprint(*compiled)"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(source), "NUMBA_CACHE_DIR": str(cache)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for process in running:
        process.stdin.close()
        process.stdin = None
    told = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * 5, told
    ((value, _, said),) = {(*out.split()[:2], err) for out, err in told}
    assert (value, said) == ("30.0", "")
    # Each kernel once over all processes: a process that has both from the cache never asks for the inner one.
    assert [sum(numbers) for numbers in zip(*[map(int, out.split()[2:]) for out, _ in told], strict=True)] == [1, 1]
    # One file a kernel, nothing half-written beside it, and what was written is what is read.
    made = codes(cache)
    assert len(made) == 2
    assert [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".nbc"] == []
    assert ran(source, cache)[0] == 30.0
    assert codes(cache) == made


def test_another_processor_has_kernels_of_its_own(tmp_path):
    source, cache = copied(tmp_path / "source"), tmp_path / "cache"
    _, folder, _ = ran(source, cache)
    value, other, _ = ran(source, cache, NUMBA_CPU_NAME="x86-64-v3", NUMBA_CPU_FEATURES="+avx2,+fma")
    assert value == 30.0
    assert other.name == folder.name.split("-")[0] + "-x86-64-v3"


def test_kernels_that_are_compiled_to_look_for_an_error_are_kept_apart(tmp_path):
    source, cache = copied(tmp_path / "source"), tmp_path / "cache"
    _, folder, _ = ran(source, cache)
    value, other, _ = ran(source, cache, NUMBA_OPT="0")
    assert value == 30.0
    assert other != folder


def test_damaged_code_is_compiled_again(tmp_path):
    source, cache = copied(tmp_path / "source"), tmp_path / "cache"
    ran(source, cache)
    for path, left in zip(codes(cache), (100, 0), strict=True):
        path.write_bytes(path.read_bytes()[:left])
    assert ran(source, cache)[::2] == (30.0, "")
    assert min(path.stat().st_size for path in codes(cache)) > 1000


@pytest.mark.parametrize("place", ["a file", "nowhere"])
def test_a_folder_that_cannot_be_written_costs_a_line_and_no_more(tmp_path, place):
    (tmp_path / "a file").write_text("")
    value, folder, said = ran(copied(tmp_path / "source"), tmp_path / "a file" if place == "a file" else Path("/proc"))
    assert value == 30.0
    assert not folder.exists()
    (line,) = said.splitlines()
    assert "NUMBA_CACHE_DIR" in line
