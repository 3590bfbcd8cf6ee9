"""A table whose writing is killed, or for which the disk has no room, is never taken for a whole one."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from oddjet.errors import TableError
from oddjet.io.tables import Column, TableWriter, read_table

WRITER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    import numpy as np
    from oddjet.io.tables import Column, TableWriter

    with TableWriter(Path(sys.argv[1]), [Column("x", "f8", "1", "Noise.")]) as table:
        while True:
            table.append(np.random.default_rng(1).normal(size=5000).astype([("x", "f8")]))
            print("appended", flush=True)
    """
)


def test_sigkill_leaves_no_table(tmp_path):
    path = tmp_path / "t.h5"
    process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
    for _ in range(3):
        assert process.stdout.readline() == "appended\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert not path.exists()
    with pytest.raises(TableError, match="no such file"):
        read_table(path)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(small_disk):
    path = small_disk / "t.h5"
    noise = np.random.default_rng(1).normal(size=4_000_000).astype([("x", "f8")])
    with (
        pytest.raises(TableError, match=r"t\.h5: disk full: \d+ MB left"),
        TableWriter(path, [Column("x", "f8", "1", "Noise.")]) as table,
    ):
        for start in range(0, len(noise), 100_000):
            table.append(noise[start : start + 100_000])
        table.finish()
    assert list(small_disk.iterdir()) == []
