"""Tables and trainings have the same bits whatever compiled the kernels, beside whom, and on which processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from llvmlite.binding import get_host_cpu_features

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).with_name("train_small.py")
OWN = ("ATEN_CPU_CAPABILITY", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NPY_DISABLE_CPU_FEATURES")
AVX2 = ("avx2", "fma")
AVX512 = (*AVX2, "avx512f", "avx512dq", "avx512bw", "avx512vl")
# What torch runs, and what kernels are compiled for: 128, 256 and 512 bits, each with what the processor needs for it.
PROCESSORS = {
    "128 bits": ("default", "x86-64-v3", (*AVX2, "prefer-128-bit"), AVX2),
    "256 bits": ("avx2", "haswell", AVX2, AVX2),
    "512 bits": ("avx512", "skylake-avx512", AVX512, AVX512),
}


def trained(*arguments: str, **environment: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OWN}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    digests: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return digests


@pytest.fixture(scope="module")
def expected(top_root: Path) -> dict[str, str]:
    """Digests of a table, and of one seed alone, one thread, with whatever kernels lie in the cache."""
    return trained("--torch", "--table", str(top_root))


def test_kernels_that_are_compiled_here_give_what_those_of_the_cache_give(
    expected: dict[str, str], top_root: Path, tmp_path: Path
) -> None:
    words = ("--torch", "--table", str(top_root))
    assert trained(*words, NUMBA_CACHE_DIR=str(tmp_path)) == expected
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    assert len(made) > 10
    # And now from that cache.
    assert trained(*words, NUMBA_CACHE_DIR=str(tmp_path)) == expected
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")} == made


@pytest.mark.parametrize("seeds", [(3, 1), (5, 1, 2, 4, 3, 6, 7, 8, 9)])
def test_a_seed_trains_in_a_group_with_two_threads_as_alone(expected: dict[str, str], seeds: tuple[int, ...]) -> None:
    found = trained("--torch", "--threads", "2", "--seeds", *map(str, seeds))
    assert found == {kind: expected[kind] for kind in found}
    assert set(expected) - set(found) == {"table"}


@pytest.mark.parametrize("name", PROCESSORS)
def test_table_and_training_are_the_same_with_vectors_of_any_width(
    expected: dict[str, str], top_root: Path, name: str
) -> None:
    capability, processor, features, needed = PROCESSORS[name]
    own = get_host_cpu_features()
    missing = {feature for feature in needed if not own.get(feature)}
    if missing:
        pytest.skip(f"this processor has no {', '.join(sorted(missing))}")
    if name == "256 bits" and not own.get("avx512f"):
        pytest.skip("the vectors that this processor has, which the other tests compile for")
    digests = trained(
        "--table",
        str(top_root),
        ATEN_CPU_CAPABILITY=capability,
        NUMBA_CPU_NAME=processor,
        NUMBA_CPU_FEATURES=",".join(f"+{feature}" for feature in features),
    )
    assert digests == {kind: expected[kind] for kind in digests}
    assert set(digests) == {"table", "ae", "nae", "nae_logcosh", "wnae"}
