"""The environment of the workflow's jobs: nothing of other software in it, and caches where they can be written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

# How numba compiles: for those who look for an error in a kernel; slower, and other last bits.
COMPILING = (
    "NUMBA_BOUNDSCHECK",
    "NUMBA_DEBUG",
    "NUMBA_DEBUGINFO",
    "NUMBA_ENABLE_AVX",
    "NUMBA_LOOP_VECTORIZE",
    "NUMBA_OPT",
    "NUMBA_SLP_VECTORIZE",
)
# What would change how Python, numba and torch run our programs: where Python looks for itself, whether docstrings go
# (the registry of features reads them) or turns warnings into errors, which letters it can print, whether kernels are
# compiled at all.
UNWANTED = (
    *COMPILING,
    "NUMBA_DISABLE_JIT",
    "NUMBA_NUM_THREADS",
    "NUMBA_THREADING_LAYER",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONIOENCODING",
    "PYTHONOPTIMIZE",
    "PYTHONPLATLIBDIR",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
    # An import of torch fails where it names what torch does not have.
    "TORCH_LOGS",
)
# numpy and OpenBLAS have code for each kind of processor, whose last bits differ: jobs run that for AVX2 wherever they
# run.
SAME_ARITHMETIC = {
    # X86_V4 is what newer numpy calls the first four; a numpy passes over the names that it does not know.
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4",
    "OPENBLAS_CORETYPE": "Haswell",
}
# By which programs know where their temporary files go; not all look at the same one first.
TEMPORARY_FOLDERS = ("TMPDIR", "TMP", "TEMP")
TEMPORARY_BYTES = 1_000_000


def job_environment(
    source: Path, run_folder: Path, given: Mapping[str, str], python: str | None = None
) -> dict[str, str]:
    """Give the variables that every job is to have beside those of the shell.

    Parameters
    ----------
    source
        Folder of the Snakefile.
    run_folder
        Folder that Snakemake runs in.
    given
        Environment of Snakemake.
    python
        The Python that jobs run; None where each has an environment of its own.

    Returns
    -------
    dict of str
        `ODDJET`, by which rules call their programs, so that their text holds no path; `PYTHONPATH`, this package;
        no packages of the user's; UTF-8, whatever the locale; `SAME_ARITHMETIC`, where the processor has AVX2;
        caches of compiled kernels and of matplotlib in `.snakemake` of the run folder, where the user's cache folder
        cannot be written and no other one is named; a folder for temporary files there, where the usual one takes none.
    """
    caches = run_folder / ".snakemake" / "caches"
    home = Path(given.get("XDG_CACHE_HOME") or Path(given.get("HOME") or "/nonexistent") / ".cache")
    wanted = {"ODDJET": str(source), "PYTHONPATH": str(source / "src"), "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}
    if has_avx2():
        wanted |= {name: value for name, value in SAME_ARITHMETIC.items() if name not in given}
    if python is not None:
        wanted["PATH"] = os.pathsep.join([str(Path(python).parent), given.get("PATH", os.defpath)])
    if not _writable(home):
        places = {"NUMBA_CACHE_DIR": caches / "kernels", "MPLCONFIGDIR": caches / "matplotlib"}
        wanted |= {name: str(place) for name, place in places.items() if name not in given}
    if full_temporary_folder(given) is not None:
        wanted |= dict.fromkeys(TEMPORARY_FOLDERS, str(run_folder / ".snakemake" / "tmp"))
    return wanted


def full_temporary_folder(given: Mapping[str, str]) -> str | None:
    """Return the folder for temporary files if no file of `TEMPORARY_BYTES` can be written there.

    Snakemake's scheduler writes its problem there, and ends in a traceback where it cannot.
    """
    for name in [given[name] for name in TEMPORARY_FOLDERS if given.get(name)] or ["/tmp"]:  # noqa: S108
        try:
            with tempfile.TemporaryFile(dir=name) as file:
                file.write(bytes(TEMPORARY_BYTES))
        except OSError:
            return name
    return None


def has_avx2(description: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether Linux says that the processor has the vectors of AVX2 and fused products."""
    try:
        text = description.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    return {"avx2", "fma"} <= set(flags)


def _writable(folder: Path) -> bool:
    """Whether a folder can be written, or be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
