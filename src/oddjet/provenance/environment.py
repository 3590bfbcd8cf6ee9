"""The environment of the workflow's jobs: nothing of other software in it, and caches where they can be written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

# What would change how Python and numba run our programs: where Python looks for itself, whether docstrings go (the
# registry of features reads them) or turns warnings into errors, whether kernels are compiled at all.
UNWANTED = (
    "NUMBA_DISABLE_JIT",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONPLATLIBDIR",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
)
# numpy and OpenBLAS have code for each kind of processor, whose last bits differ: jobs run that for AVX2 wherever they
# run.
SAME_ARITHMETIC = {
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
}


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
        no packages of the user's; `SAME_ARITHMETIC`, where the processor has AVX2; caches of compiled kernels and of
        matplotlib in `.snakemake` of the run folder, where the user's cache folder cannot be written and no other one
        is named.
    """
    caches = run_folder / ".snakemake" / "caches"
    home = Path(given.get("XDG_CACHE_HOME") or Path(given.get("HOME") or "/nonexistent") / ".cache")
    wanted = {"ODDJET": str(source), "PYTHONPATH": str(source / "src"), "PYTHONNOUSERSITE": "1"}
    if has_avx2():
        wanted |= {name: value for name, value in SAME_ARITHMETIC.items() if name not in given}
    if python is not None:
        wanted["PATH"] = os.pathsep.join([str(Path(python).parent), given.get("PATH", os.defpath)])
    if not _writable(home):
        places = {"NUMBA_CACHE_DIR": caches / "kernels", "MPLCONFIGDIR": caches / "matplotlib"}
        wanted |= {name: str(place) for name, place in places.items() if name not in given}
    return wanted


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
