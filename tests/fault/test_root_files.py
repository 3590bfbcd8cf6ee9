"""Damaged and unsuitable ROOT files: each kind has its error, which names the file; skipping them is counted."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from oddjet.errors import (
    DamagedFileError,
    InputFileError,
    JetError,
    MissingFileError,
    SourceError,
    TableError,
    UnreadableFileError,
)
from oddjet.io.chunks import Reading
from oddjet.io.cutflow import BadFile, Cutflow
from oddjet.io.root import read_candidates
from oddjet.io.tables import read_attributes, read_table
from oddjet.jets.cutflow import check_bad_files, merge_sample
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings

REPOSITORY = Path(__file__).resolve().parents[2]
EVENTS = 400
STRICT = FeatureSettings(chunk_size=200, bad_candidates="file")


def write(
    path: Path, *, tree: str = "Events", leave_out: str = "", last_pt: float = 600.0, compress: bool = True
) -> Path:
    """Events of ten candidates each, in two clusters of baskets; the first candidate makes a jet by itself."""
    rng = np.random.default_rng(1)
    pt = rng.exponential(5.0, (EVENTS, 10)).astype(np.float32)
    pt[:, 0] = 600.0
    pt[-1, 0] = last_pt
    angle = rng.uniform(-2, 2, (EVENTS, 10)).astype(np.float32)
    columns: dict[str, object] = {
        "run": np.ones(EVENTS, np.uint32),
        "luminosityBlock": np.ones(EVENTS, np.uint32),
        "event": np.arange(EVENTS, dtype=np.uint64),
    }
    momenta = {"pt": pt, "eta": angle, "phi": angle, "mass": 0 * pt}
    columns["PFCands"] = ak.zip({name: ak.from_regular(v) for name, v in momenta.items() if name != leave_out})
    with uproot.recreate(path, compression=uproot.ZSTD(3) if compress else None) as file:
        made = file.mktree(tree, {k: v.type if isinstance(v, ak.Array) else v.dtype for k, v in columns.items()})
        half = EVENTS // 2
        made.extend({name: values[:half] for name, values in columns.items()})
        made.extend({name: values[half:] for name, values in columns.items()})
    return path


def basket(path: Path, branch: str, number: int) -> tuple[int, int]:
    """First byte and length of a basket's contents in the file."""
    with uproot.open(path) as file:
        found = file["Events"][branch].basket(number)
        start = file["Events"][branch].member("fBasketSeek")[number]
        return int(start) + found.member("fKeylen"), found.compressed_bytes


def damaged(path: Path) -> Path:
    """Overwrite the last basket of pT."""
    data = bytearray(write(path).read_bytes())
    start, length = basket(path, "PFCands_pt", 1)
    data[start + 20 : start + length] = bytes(length - 20)
    path.write_bytes(data)
    return path


def truncated(path: Path) -> Path:
    write(path)
    start, length = basket(path, "PFCands_pt", 1)
    path.write_bytes(path.read_bytes()[: start + length // 2])
    return path


def with_bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def of_two_lengths(path: Path) -> Path:
    columns = {"run": np.ones(2, np.uint32), "luminosityBlock": np.ones(2, np.uint32), "event": np.ones(2, np.uint64)}
    for name in ("pt", "eta", "phi", "mass"):
        columns[f"PFCands_{name}"] = ak.values_astype(ak.Array([[1.0], [1.0] * (1 + (name == "phi"))]), np.float32)
    with uproot.recreate(path) as file:
        file["Events"] = columns
    return path


KINDS = {
    "missing": (lambda path: path, MissingFileError, "no such file"),
    "empty": (lambda path: with_bytes(path, b""), UnreadableFileError, "not a readable ROOT file, it is empty"),
    "page": (
        lambda path: with_bytes(path, b"\n<!DOCTYPE html>" * 9),
        UnreadableFileError,
        "it is a web page, .* log in",
    ),
    "pointer": (
        lambda path: with_bytes(path, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"),
        UnreadableFileError,
        "it is a pointer of git-lfs; fetch it by `git lfs pull`",
    ),
    "gzip": (lambda path: with_bytes(path, b"\x1f\x8b\x08" * 200), UnreadableFileError, "it is compressed by gzip"),
    "text": (lambda path: with_bytes(path, b"hello " * 100), UnreadableFileError, "not a readable ROOT file"),
    "header": (
        lambda path: with_bytes(path, write(path).read_bytes()[:80]),
        UnreadableFileError,
        "not a readable ROOT file",
    ),
    "truncated": (truncated, InputFileError, "truncated|not a readable"),
    "basket": (damaged, DamagedFileError, "truncated or damaged from entry 200 on"),
    "lengths": (of_two_lengths, DamagedFileError, "PFCands_phi and PFCands_pt differ in length"),
    "tree": (lambda path: write(path, tree="Other"), UnreadableFileError, r"no tree Delphes, Events.*has: Other"),
    "branch": (lambda path: write(path, leave_out="phi"), UnreadableFileError, "pfnano lacks PFCands_phi;"),
    "nan": (lambda path: write(path, last_pt=float("nan")), DamagedFileError, "PFCands_pt is nan in entry 399"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_error(tmp_path: Path, kind: str) -> None:
    make, error, message = KINDS[kind]
    path = make(tmp_path / "input.root")
    with pytest.raises(error, match=message) as raised:
        for _ in read_candidates(path, Reading(bad_candidates="file"), chunk_size=200):
            pass
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["basket", "nan", "tree"])
def test_failing_leaves_no_table(tmp_path: Path, kind: str) -> None:
    make, error, _ = KINDS[kind]
    with pytest.raises(error):
        extract_features(make(tmp_path / "input.root"), tmp_path / "out.h5", STRICT)
    assert [p.name for p in tmp_path.iterdir()] == ["input.root"]


def test_script_ends_with_one_line_and_status_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            str(REPOSITORY / "workflow" / "scripts" / "extract_features.py"),
            *("--sample", "x", "--input", str(tmp_path / "no.root"), "--output", str(tmp_path / "x.h5")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: {tmp_path / 'no.root'}: no such file")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("kind", "lost"), [("basket", EVENTS), ("nan", EVENTS), ("text", None), ("branch", None)])
def test_skipped_file_is_an_empty_table_with_its_reason(tmp_path: Path, kind: str, lost: int | None) -> None:
    path = KINDS[kind][0](tmp_path / "input.root")
    settings = STRICT.model_copy(update={"on_bad_file": "skip"})
    cutflow = extract_features(path, tmp_path / "out.h5", settings)
    assert cutflow == Cutflow()
    assert len(read_table(tmp_path / "out.h5")) == 0
    bad = json.loads(read_attributes(tmp_path / "out.h5")["bad_file"])
    assert bad["file"] == str(path)
    assert bad["error"] == KINDS[kind][1].__name__
    assert bad["events_lost"] == lost


def test_merged_cutflow_counts_the_skipped(tmp_path: Path) -> None:
    settings = FeatureSettings(on_bad_file="skip")
    tables = []
    for number, path in enumerate(
        [write(tmp_path / "0.root"), write(tmp_path / "1.root"), damaged(tmp_path / "2.root")]
    ):
        tables.append(tmp_path / f"{number}.h5")
        extract_features(path, tables[-1], settings)
    merged, bad = merge_sample("top", tables)
    assert merged.events_read == merged.events_passed == 2 * EVENTS
    assert merged.jets_passed == 2 * EVENTS
    assert [(file.file, file.events_lost) for file in bad] == [(str(tmp_path / "2.root"), EVENTS)]
    check_bad_files("top", bad, 3, 0.34)
    with pytest.raises(JetError, match=r"top: 1 of 3 files were skipped, with at least 400 events.*0\.3 allows"):
        check_bad_files("top", bad, 3, 0.3)


def test_check_script_writes_what_was_skipped_and_then_fails(tmp_path: Path) -> None:
    settings = FeatureSettings(on_bad_file="skip")
    extract_features(write(tmp_path / "0.root"), tmp_path / "top" / "0.h5", settings)
    extract_features(damaged(tmp_path / "1.root"), tmp_path / "top" / "1.h5", settings)
    done = subprocess.run(
        [
            sys.executable,
            str(REPOSITORY / "workflow" / "scripts" / "check_cutflow.py"),
            *("--folder", str(tmp_path), "--parts", "top=0,1", "--settings", '{"max_bad_fraction": 0.2}'),
            *("--cutflow", str(tmp_path / "cutflow.json"), "--bad-files", str(tmp_path / "bad_files.json")),
            *("--blocks", str(tmp_path / "luminosity_blocks.json")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "sample top: 1 of 2 files were skipped" in done.stderr
    assert BadFile(**json.loads((tmp_path / "bad_files.json").read_text())["top"][0]).events_lost == EVENTS
    assert dict(json.loads((tmp_path / "cutflow.json").read_text())["top"])["events_read"] == EVENTS


def test_table_that_lost_a_row_is_noticed(tmp_path: Path) -> None:
    import h5py

    extract_features(write(tmp_path / "0.root"), tmp_path / "0.h5", FeatureSettings())
    with h5py.File(tmp_path / "0.h5", "r+") as file:
        file["jets"].resize(EVENTS - 1, axis=0)
        file.attrs["rows"] = EVENTS - 1
    with pytest.raises(TableError, match=r"0\.h5: the cutflow says jets_passed 400, the table has 399"):
        merge_sample("top", [tmp_path / "0.h5"])


def manifest_of(path: Path) -> Path:
    manifest = path.with_name("sums.txt")
    manifest.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return manifest


def test_flipped_byte_needs_the_manifest_to_be_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "input.root", compress=False)
    settings = FeatureSettings(checksums=str(manifest_of(path)))
    extract_features(path, tmp_path / "good.h5", settings)
    start, _ = basket(path, "PFCands_pt", 0)
    data = bytearray(path.read_bytes())
    data[start + 1] ^= 0x20
    path.write_bytes(data)
    extract_features(path, tmp_path / "silent.h5", FeatureSettings())
    assert read_table(tmp_path / "silent.h5").tobytes() != read_table(tmp_path / "good.h5").tobytes()
    with pytest.raises(DamagedFileError, match=r"input\.root: SHA-256 is .* says"):
        extract_features(path, tmp_path / "out.h5", settings)
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("abc  input.root\n", "line 1 is not a SHA-256"),
        ("0" * 64 + "  other.root\n", "not listed"),
        ("\ufeff" + "0" * 64 + "  other.root\n", "not listed"),
        (b"\xff\xfe", r"sums\.txt: no readable manifest"),
    ],
)
def test_unusable_manifest(tmp_path: Path, text: str | bytes | None, message: str) -> None:
    path = write(tmp_path / "input.root")
    if text is not None:
        (tmp_path / "sums.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SourceError, match=message):
        extract_features(path, tmp_path / "out.h5", FeatureSettings(checksums=str(tmp_path / "sums.txt")))


KILLED = """
import os, signal, sys
from pathlib import Path
from oddjet.jets import extract
from oddjet.jets.settings import FeatureSettings

made = extract.jet_rows
chunks = []

def rows_until_killed(*arguments):
    chunks.append(1)
    if len(chunks) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return made(*arguments)

extract.jet_rows = rows_until_killed
extract.extract_features(sys.argv[1], Path(sys.argv[2]), FeatureSettings(chunk_size=100))
"""


def test_killed_in_the_middle_leaves_nothing_that_is_taken_for_a_table(tmp_path: Path) -> None:
    path, output = write(tmp_path / "input.root"), tmp_path / "features" / "0.h5"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(output)], check=False, capture_output=True)
    assert done.returncode == -9
    assert not output.exists()
    for left in output.parent.iterdir():
        with pytest.raises(TableError):
            read_table(left)
    assert extract_features(path, output, FeatureSettings()).jets_passed == len(read_table(output)) == EVENTS
