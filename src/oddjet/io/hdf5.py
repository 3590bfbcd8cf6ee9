"""Opening HDF5 files, in one place.

Some network file systems refuse HDF5's locks; every file here has one writer and is renamed when it is whole, so none
is asked for. The environment variable of HDF5 for that is read when the library is loaded, which is too early for us.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import h5py


def open_hdf5(path: Path, mode: Literal["r", "r+", "w"] = "r") -> h5py.File:
    """Open an HDF5 file without a lock; raises what h5py does, `OSError` above all."""
    return h5py.File(path, mode, locking=False)
