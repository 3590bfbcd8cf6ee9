"""A table whose writing is killed, or for which the disk has no room, is never taken for a whole one."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from oddjet.errors import DiskError, TableError
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
        pytest.raises(DiskError, match=r"t\.h5: disk full: \d+ MB left"),
        TableWriter(path, [Column("x", "f8", "1", "Noise.")]) as table,
    ):
        for start in range(0, len(noise), 100_000):
            table.append(noise[start : start + 100_000])
        table.finish()
    assert list(small_disk.iterdir()) == []


ENDED = WRITER.replace("with TableWriter", "def main():\n  with TableWriter").replace("    while", "   while") + (
    "\nfrom oddjet.program import execute\nexecute(main)\n"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_program_that_is_told_to_end_says_so_and_leaves_nothing(tmp_path, number):
    path = tmp_path / "t.h5"
    words = [sys.executable, "-c", ENDED, path]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Behind nohup or in the background of a script these signals are ignored, and the program would write for ever.
    with subprocess.Popen(words, **pipes, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)) as process:
        assert process.stdout.readline() == "appended\n"
        process.send_signal(number)
        process.stdout.read()
        told = process.stderr.read()
        assert process.wait() == 128 + number
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_goes_when_the_file_is_written_again(tmp_path):
    path = tmp_path / "t.h5"
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "appended\n"
        # While it lives, its file is its own.
        with TableWriter(path, [Column("x", "f8", "1", "Noise.")]) as table:
            table.finish()
        assert len(list(tmp_path.iterdir())) == 2
        process.kill()
        process.communicate()
    other = tmp_path / f".tmp-another-{process.pid}-t.h5"
    other.touch()
    with TableWriter(path, [Column("x", "f8", "1", "Noise.")]) as table:
        table.finish()
    # What a process of another machine writes is left alone.
    assert sorted(tmp_path.iterdir()) == [other, path]
