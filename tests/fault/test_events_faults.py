"""Damaged event files, and a writer that is killed: an error with the file's name, never half a file."""

import fcntl
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from oddjet.errors import DiskError, TableError
from oddjet.events.layout import read_events, write_events


@pytest.fixture
def path(tmp_path):
    events = np.zeros((3000, 19, 4))
    events[:, 0] = 30.0, 0.0, 1.0, 1.0
    events[:, 0, 0] += np.random.default_rng(1).exponential(10, 3000)
    write_events(tmp_path / "events.h5", events, {})
    return tmp_path / "events.h5"


def test_a_truncated_file_is_refused(path):
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2)
    with pytest.raises(TableError, match=r"events\.h5: not a readable HDF5 file"):
        read_events(path)


def test_a_damaged_piece_is_refused_and_the_others_are_read(path):
    with h5py.File(path) as file:
        chunk = file["Particles"].id.get_chunk_info(1)
    with path.open("r+b") as file:
        file.seek(chunk.byte_offset + 10)
        file.write(b"\xff" * (chunk.size - 20))
    assert len(read_events(path, 0, 1000)) == 1000
    with pytest.raises(TableError, match=r"events\.h5: rows 1000 to 2000 cannot be read"):
        read_events(path, 1000, 2000)


PROGRAM = """
import os, sys
from pathlib import Path
import h5py
import numpy as np
from oddjet.events import layout
real = h5py.File.create_dataset
def dies(*given, **named):
    real(*given, **named)
    os.kill(os.getpid(), 9)
h5py.File.create_dataset = dies
layout.write_events(Path(sys.argv[1]), np.zeros((5, 19, 4)), {})
"""


def test_a_killed_writer_leaves_the_old_file(path):
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], check=False, capture_output=True)
    assert done.returncode == -9
    assert path.read_bytes() == before


def test_a_lock_on_a_file_keeps_nobody_from_reading_or_replacing_it(path):
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        events = read_events(path)
        write_events(path, events[:10], {})
        assert len(read_events(path)) == 10


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=18m", "tmpfs", folder]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(small_disk):
    events = np.zeros((6000, 19, 4))
    events[:, 0] = 30.0, 0.0, 1.0, 1.0
    events[:, 0, 0] += np.random.default_rng(1).exponential(10, 6000)
    with pytest.raises(DiskError, match=r"e\.h5: disk full: \d+ MB left, 20 MB needed"):
        write_events(small_disk / "e.h5", events, {})
    assert list(small_disk.iterdir()) == []
    write_events(small_disk / "e.h5", events[:100], {})
    assert len(read_events(small_disk / "e.h5")) == 100
