"""A disk without room: one line that names the file, nothing half-written, and a training that goes on.

The disk is a real one of 2 MB; where none may be mounted these tests are skipped.
"""

import errno
import json
import logging
import os
import re
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
import uproot
from matplotlib.figure import Figure

from oddjet.dataset.split import Interleaved
from oddjet.detectors import file as model_file
from oddjet.errors import DiskError
from oddjet.evaluation.history import read_history
from oddjet.io.atomic import atomic_path, disk_refusal, write_text
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings
from oddjet.report.figures import save_figures
from oddjet.run_record import remember, remembered
from oddjet.tagging.outputs import open_output
from oddjet.training.checkpoint import Checkpoints
from oddjet.training.history import HistoryFile, row

NOISE = np.random.default_rng(1).normal(size=500_000)


@pytest.fixture
def disk(tmp_path):
    """A folder on a disk of its own with 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def full(disk):
    """A disk with room for 8 kB."""
    with (disk / "filler").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 2**21 - 8192)
    return disk


def model(path: Path) -> None:
    model_file.write(path, {"parameters": torch.from_numpy(NOISE)})


def text(path: Path) -> None:
    write_text(path, "a" * 3_000_000)


def figure(path: Path) -> None:
    drawn = Figure()
    drawn.subplots().scatter(NOISE[:200_000], NOISE[:200_000])
    save_figures(drawn, [path])


def tree(path: Path) -> None:
    with atomic_path(path) as temporary, uproot.recreate(temporary, compression=None) as file:
        file["Events"] = {"pt": NOISE}


def parquet(path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pytest.importorskip("pyarrow").table({"pt": NOISE})
    with atomic_path(path) as temporary:
        parquet.write_table(table, temporary)


@pytest.mark.parametrize(
    ("write", "name"),
    [(model, "model.pt"), (text, "a.csv"), (figure, "a.pdf"), (tree, "a.root"), (parquet, "a.parquet")],
)
def test_whatever_writes_names_the_file_and_leaves_nothing(disk, write, name):
    with pytest.raises(DiskError) as raised:
        write(disk / name)
    assert str(raised.value).startswith(f"{disk / name}: disk full: ")
    assert str(raised.value).endswith(" MB left. Make room and run again; nothing half-written stays.")
    assert "\n" not in str(raised.value)
    assert not list(disk.iterdir())


def test_files_without_a_name_are_named_by_their_folder(full):
    rows = np.zeros(100_000, [("run", "u8"), ("luminosityBlock", "u8"), ("event", "u8")])
    with (
        pytest.raises(DiskError, match=f"^{full}: disk full"),
        Interleaved(rows.dtype, len(rows), 1, full, 10_000) as mixed,
    ):
        mixed.add(rows)
        list(mixed.pieces())


# The space is there when HDF5 asks and gone when it writes, as with a quota or another job.
WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    import numpy as np
    import oddjet.io.tables as tables
    from oddjet.program import execute

    def main():
        tables.require_space = lambda path, size: None
        noise = np.random.default_rng(1).normal(size=1_000_000).astype([("x", "f8")])
        with tables.TableWriter(Path(sys.argv[1]), [tables.Column("x", "f8", "1", "Noise.")]) as table:
            for start in range(0, len(noise), int(sys.argv[2])):
                table.append(noise[start : start + int(sys.argv[2])])
            table.finish()

    execute(main)
    """
)


@pytest.mark.parametrize("rows", [5000, 1_000_000])
def test_space_that_goes_while_a_table_is_written_ends_in_one_line_and_no_crash(disk, rows):
    path = disk / "t.h5"
    words = [sys.executable, "-c", WRITER, path, str(rows)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {path}: disk full: ")
    assert done.stderr.count("\n") == 1
    assert not list(disk.iterdir())


class State:
    epoch = 3

    def state_dict(self):
        return {"weights": torch.from_numpy(NOISE)}


def test_a_checkpoint_without_room_is_told_and_the_training_goes_on(full, caplog):
    checkpoints = Checkpoints(full / "checkpoints", "digest", 0)
    with caplog.at_level(logging.WARNING, "oddjet"):
        checkpoints.after_epoch(State())
    assert "no checkpoint after epoch 3, the training goes on without" in caplog.text
    assert f"{full}/checkpoints/state.pt: disk full" in caplog.text
    assert not list((full / "checkpoints").iterdir())


def test_a_history_without_room_is_brought_up_to_date_when_there_is_some(full, caplog):
    history = HistoryFile(full / "history.csv", "ae")
    history.start([])
    rows = [row(1, epoch, {"loss": 0.5 + epoch}, {"loss": 1 / 3}, 0.1, 1.0) for epoch in range(1, 201)]
    with caplog.at_level(logging.WARNING, "oddjet"):
        for entry in rows[:-1]:
            history.append([entry])
    [told] = caplog.messages
    lacking = int(re.search(r"the history lacks epochs from (\d+) on", told)[1])
    # Meanwhile it holds whole lines.
    assert read_history([full / "history.csv"])["loss_train"][1][0] == list(range(1, lacking))
    (full / "filler").unlink()
    history.append(rows[-1:])
    epochs, losses = read_history([full / "history.csv"])["loss_train"][1]
    assert epochs == list(range(1, 201))
    assert losses == [entry["loss_train"] for entry in rows]


def test_the_memory_of_a_results_folder_stays_whole(full):
    remember(full, {"seed": 1}, ["a.yaml"])
    with pytest.raises(DiskError, match=r"run\.json: disk full"):
        remember(full, {"seed": 2, "label": "x" * 100_000}, ["b.yaml"])
    assert json.loads((full / "run.json").read_text())["configuration"] == {"seed": 1}
    assert remembered(full).files == ["a.yaml"]


def test_a_file_that_cannot_be_there_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    for path, reason in ((tmp_path / "taken" / "a.csv", "File exists"), (tmp_path / ("n" * 250), "File name too long")):
        with pytest.raises(DiskError, match=f"cannot be written \\({reason}\\)"):
            write_text(path, "x")
    with pytest.raises(DiskError, match="cannot be written"), open_output(tmp_path / "taken/x.root", [], [1], {}):
        pass
    # As root, a rename would take the place of a device.
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/no-such-device"), Path("/proc/self/x")):
        with pytest.raises(DiskError, match=r"is no file \(a device or a pipe\), and would be replaced by one"):
            write_text(path, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_file_is_not_written_over_what_it_is_made_from(top_root, tmp_path):
    data = top_root.read_bytes()
    (tmp_path / "link.root").symlink_to(top_root)
    for output in (top_root, tmp_path / "link.root"):
        with pytest.raises(DiskError, match=r"would be written over .*top\.root, which it is made from"):
            extract_features(top_root, output, FeatureSettings(features=("ptd",)))
    assert top_root.read_bytes() == data


LIMITED = """
import resource, sys
from pathlib import Path
from oddjet.io.atomic import write_text
from oddjet.program import execute

resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
execute(lambda: write_text(Path(sys.argv[1]), "x" * 1000))
"""


@pytest.mark.parametrize("closed", [False, True])
def test_a_limit_on_the_size_of_files_is_one_line(tmp_path, closed):
    words = [sys.executable, "-c", LIMITED, str(tmp_path / "a.csv")]
    shell = ["sh", "-c", 'exec "$@" 2>&-' if closed else 'exec "$@"', "sh"]
    done = subprocess.run([*shell, *words], check=False, text=True, capture_output=True)
    assert done.returncode == 1
    assert not list(tmp_path.iterdir())
    if not closed:
        assert done.stderr.startswith(f"error: {tmp_path}/a.csv: larger than a file may be here (ulimit -f")
        assert done.stderr.count("\n") == 1


def test_what_is_no_trouble_of_the_disk_is_not_taken_for_it(tmp_path):
    assert disk_refusal(tmp_path / "a", OSError(errno.EDQUOT, "Quota exceeded")) == (
        f"{tmp_path}/a: over the disk's quota. Make room and run again; nothing half-written stays."
    )
    assert "Make its folder writable" in disk_refusal(tmp_path / "a", OSError(errno.EROFS, "Read-only file system"))
    assert disk_refusal(tmp_path / "a", OSError(errno.EIO, "Input/output error")) is None
    assert disk_refusal(tmp_path / "a", FileNotFoundError(errno.ENOENT, "No such file", "/elsewhere/b")) is None
    assert disk_refusal(tmp_path / "a", ValueError("no")) is None
