"""Compiled kernels that an edit has made old.

numba compiles a function again when its own file changes, and not when a function of another file does that it calls
and that was compiled into it. The code digest sees such an edit and reruns the job, which would then run the old code.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from oddjet.provenance.digest import PACKAGE_FOLDER


def forget_old_kernels(folder: Path = PACKAGE_FOLDER) -> int:
    """Remove every index of compiled kernels below a folder that is older than the newest module there.

    Parameters
    ----------
    folder
        A package.

    Returns
    -------
    Number of indices removed; those kernels are compiled again when they are next called (seconds each). What cannot be
    removed, in a folder of someone else's, stays.
    """
    newest = max((path.stat().st_mtime for path in folder.rglob("*.py")), default=0.0)
    old = [path for path in folder.rglob("*.nbi") if path.stat().st_mtime < newest]
    removed = 0
    for path in old:
        with contextlib.suppress(OSError):
            path.unlink()
            removed += 1
    return removed
