"""Read, check and write events in the layout of the CMS anomaly detection challenge ADC 2021 (arXiv:2107.02157).

An HDF5 file with `Particles`, shape (N, 19, 4): 19 slots of (pT in GeV, eta, phi, class), zero padded. Slot 0 is the
missing transverse momentum, 1 to 4 are electrons and photons, 5 to 8 muons, 9 to 18 jets. A slot exists where its pT is
above 0; the published files keep angles and classes in some empty slots, which are zeroed on reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TableError
from oddjet.io.atomic import atomic_path
from oddjet.io.hdf5 import attributes_of, new_hdf5, open_hdf5, require_space, write_attributes

DATASET = "Particles"
COORDINATES = ("Pt", "Eta", "Phi", "Class")
PT, ETA, PHI, CLASS = range(4)
SLOTS = 19
# 1000 events are 600 kB before compression.
CHUNK_EVENTS = 1000
ROWS_AT_A_TIME = 100_000
# Angles that were rounded to fewer digits may exceed pi a little.
PHI_MAX = np.pi + 1e-3
# In GeV; no object of a collider has more, and one of 100 GeV would in MeV. Nor is any seen beyond this eta.
PT_MAX = 9.9e4
ETA_MAX = 30.0

Events = NDArray[np.float64]


@dataclass(frozen=True)
class ObjectClass:
    """A class of objects: its name in the file, its code, and the slots `start` to `stop - 1`."""

    name: str
    label: str
    code: int
    start: int
    stop: int

    @property
    def slots(self) -> slice:
        """The slots of the class."""
        return slice(self.start, self.stop)

    @property
    def size(self) -> int:
        """Number of slots."""
        return self.stop - self.start


CLASSES = (
    ObjectClass("MET_class_1", "MET", 1, 0, 1),
    ObjectClass("Four_Ele_class_2", "e/gamma", 2, 1, 5),
    ObjectClass("Four_Mu_class_3", "muon", 3, 5, 9),
    ObjectClass("Ten_Jet_class_4", "jet", 4, 9, 19),
)
MET, EGAMMA, MUON, JET = CLASSES
SLOT_CODES = np.concatenate([np.full(kind.size, kind.code) for kind in CLASSES])


def count_events(path: Path) -> int:
    """Count the events of a file; raises `TableError` when its datasets are not those of the layout."""
    with _open(path) as dataset:
        return len(dataset)


def read_events(path: Path, start: int = 0, stop: int | None = None) -> Events:
    """Read and check a slice of a file's events; only this slice is ever in memory.

    Parameters
    ----------
    path
        The file.
    start, stop
        First row and the one after the last; left out: the end of the file.

    Returns
    -------
    numpy.ndarray
        Shape (n, 19, 4), float64: pT in GeV, eta, phi in rad, class 1 to 4. Slots without an object are all zero.

    Raises
    ------
    TableError
        The file is missing or not of the layout, the slice does not lie in it, or an event breaks the rules of
        `check_events`.
    """
    with _open(path) as dataset:
        stop = len(dataset) if stop is None else stop
        if not 0 <= start <= stop <= len(dataset):
            raise TableError(f"{path}: rows {start} to {stop} asked for, the file has {len(dataset)} events.")
        try:
            events = np.asarray(dataset[start:stop], dtype=np.float64)
        except OSError as error:
            raise TableError(
                f"{path}: rows {start} to {stop} cannot be read ({error}). The file is damaged: fetch or make it again."
            ) from error
    return check_events(events, path, start)


def iterate_events(path: Path, rows: int = ROWS_AT_A_TIME) -> Iterator[Events]:
    """Read a file in pieces of a given number of rows; raises `TableError` as `read_events` does."""
    for start in range(0, total := count_events(path), rows):
        yield read_events(path, start, min(start + rows, total))


def check_events(events: Events, path: Path, first_row: int = 0) -> Events:
    """Check events and zero whatever is left in their empty slots.

    Parameters
    ----------
    events
        Shape (n, 19, 4), float64.
    path
        Where they come from, for the message.
    first_row
        Row of the file that `events` starts with.

    Returns
    -------
    numpy.ndarray
        The same shape; a new array.

    Raises
    ------
    TableError
        For the first event with a value that is not finite, a pT or eta of no object, a negative pT, an unknown class,
        more objects of a class than it has slots, an object in a slot of another class, objects of a class that do not
        fall in pT, an angle beyond pi, or a missing momentum with an eta.
    """
    if events.ndim != 3 or events.shape[1:] != (SLOTS, len(COORDINATES)):
        raise TableError(f"{path}: the events have shape {events.shape}, not (N, {SLOTS}, {len(COORDINATES)}).")

    def refuse(bad: NDArray[np.bool_], column: int, what: str) -> None:
        if bad.any():
            row, slot = (int(index) for index in np.argwhere(bad)[0])
            raise TableError(
                f"{path}: row {first_row + row}, slot {slot}, column '{COORDINATES[column]}': "
                f"{what.format(value=events[row, slot, column])}."
            )

    for column in range(len(COORDINATES)):
        refuse(~np.isfinite(events[:, :, column]), column, "{value} is not finite")
    refuse(events[:, :, PT] < 0, PT, "pT {value:g} GeV is negative; an empty slot has 0")
    refuse(events[:, :, PT] > PT_MAX, PT, "pT {value:g} GeV is that of no object; in MeV? It must be in GeV")
    present = events[:, :, PT] > 0
    refuse(present & (np.abs(events[:, :, ETA]) > ETA_MAX), ETA, "eta {value:g} is that of no object; a placeholder?")
    codes = np.where(present, events[:, :, CLASS], 0)
    refuse(present & ~np.isin(codes, SLOT_CODES), CLASS, "class {value:g} is unknown; the classes are 1 to 4")
    for kind in CLASSES:
        objects = codes == kind.code
        full = objects.sum(axis=1, keepdims=True) > kind.size
        refuse(
            objects & full & (kind.code != SLOT_CODES),
            CLASS,
            f"more than {kind.size} objects of class {kind.code} ({kind.label}), which has no further slot",
        )
    refuse(present & (codes != SLOT_CODES), CLASS, "an object of class {value:g} in a slot of another class")
    for kind in CLASSES:
        refuse(_rising(events, kind), PT, f"pT {{value:g}} GeV is above that of the {kind.label} before; sort by pT")
    refuse(present & (np.abs(events[:, :, PHI]) > PHI_MAX), PHI, "phi {value:g} is not between -pi and pi")
    refuse(present & (codes == MET.code) & (events[:, :, ETA] != 0), ETA, "MET has eta {value:g}; it must be 0")
    return np.where(present[:, :, None], events, 0.0)


def write_events(path: Path, events: Events, attributes: Mapping[str, str]) -> None:
    """Check events and write them, whole or not at all.

    Parameters
    ----------
    path
        The file; missing folders above it are made.
    events
        Shape (n, 19, 4), as `read_events` gives them.
    attributes
        Plain strings kept at the root of the file: provenance.

    Raises
    ------
    TableError
        An event breaks the rules of `check_events`.
    DiskError
        The disk takes no more.
    """
    checked = check_events(np.asarray(events, dtype=np.float64), path)
    path.parent.mkdir(parents=True, exist_ok=True)
    require_space(path, checked.nbytes)
    with atomic_path(path) as temporary, new_hdf5(temporary) as file:
        shape = (min(CHUNK_EVENTS, max(len(checked), 1)), SLOTS, len(COORDINATES))
        file.create_dataset(
            DATASET, data=checked, maxshape=(None, *shape[1:]), chunks=shape, compression="gzip", shuffle=True
        )
        for name, words in _words().items():
            file[name] = np.array([word.encode() for word in words])
        write_attributes(file, attributes)


def read_event_attributes(path: Path) -> dict[str, str]:
    """Read the attributes at the root of a file as strings; raises `TableError` as `count_events` does."""
    with _open(path) as dataset:
        return {name: str(value) for name, value in attributes_of(dataset.file).items()}


def _rising(events: Events, kind: ObjectClass) -> NDArray[np.bool_]:
    """Mark objects with more pT than one of their class before them; holes do not count, the published files have some.

    (There, jets beyond |eta| = 4 were blanked after sorting.)
    """
    pt = events[:, :, PT]
    rising = np.zeros(pt.shape, dtype=bool)
    inside = pt[:, kind.slots]
    softest = np.minimum.accumulate(np.where(inside > 0, inside, np.inf), axis=1)
    rising[:, kind.start + 1 : kind.stop] = inside[:, 1:] > softest[:, :-1]
    return rising


def _words() -> dict[str, tuple[str, ...]]:
    return {"Particles_Names": COORDINATES, "Particles_Classes": tuple(kind.name for kind in CLASSES)}


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open a file and give its dataset `Particles`, once names, shape and type are those of the layout."""
    if not path.is_file():
        raise TableError(f"{path}: no such file. Check the path, or run the stage that makes it.")
    try:
        file = open_hdf5(path)
    except OSError as error:
        raise TableError(f"{path}: not a readable HDF5 file ({error}).") from error
    with file:
        for name in (DATASET, *_words()):
            if not isinstance(file.get(name), h5py.Dataset):
                raise TableError(
                    f"{path}: no dataset '{name}'; there are: {', '.join(file) or 'none'}. "
                    "Give a file of the CMS ADC 2021 layout (docs/event-inputs.md)."
                )
        for name, expected in _words().items():
            found = tuple(word.decode() if isinstance(word, bytes) else str(word) for word in file[name][...].ravel())
            if found != expected:
                raise TableError(f"{path}: {name} is {list(found)}, not {list(expected)}.")
        dataset = file[DATASET]
        if dataset.ndim != 3 or dataset.shape[1:] != (SLOTS, len(COORDINATES)):
            raise TableError(f"{path}: '{DATASET}' has shape {dataset.shape}, not (N, {SLOTS}, {len(COORDINATES)}).")
        if dataset.dtype.kind != "f":
            raise TableError(f"{path}: '{DATASET}' is of type {dataset.dtype}, not of floating-point numbers.")
        yield dataset
