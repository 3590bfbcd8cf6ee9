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
        no packages of the user's; caches of compiled kernels and of matplotlib in `.snakemake` of the run folder, where
        the user's cache folder cannot be written and no other one is named.
    """
    caches = run_folder / ".snakemake" / "caches"
    home = Path(given.get("XDG_CACHE_HOME") or Path(given.get("HOME") or "/nonexistent") / ".cache")
    wanted = {"ODDJET": str(source), "PYTHONPATH": str(source / "src"), "PYTHONNOUSERSITE": "1"}
    if python is not None:
        wanted["PATH"] = os.pathsep.join([str(Path(python).parent), given.get("PATH", os.defpath)])
    if not _writable(home):
        places = {"NUMBA_CACHE_DIR": caches / "kernels", "MPLCONFIGDIR": caches / "matplotlib"}
        wanted |= {name: str(place) for name, place in places.items() if name not in given}
    return wanted


def _writable(folder: Path) -> bool:
    """Whether a folder can be written, or be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
