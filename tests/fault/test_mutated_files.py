"""Mutated ROOT files: every one is read or refused by name, without a crash and in bounded time.

Run as a program for thousands of mutations of any file:
    python tests/fault/test_mutated_files.py --input top.root --mutations 3000
"""

from __future__ import annotations

import argparse
import logging
import resource
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from oddjet.errors import InputFileError, JetError
from oddjet.io.tables import read_table
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings

SETTINGS = FeatureSettings(features=("ptd",), pt_min=30.0, cluster_pt_min=20.0, chunk_size=20)
EVENTS = 30
HANG_SECONDS = 60
MEMORY_BYTES = 6 << 30
BLOCKS = (1, 4, 16, 64, 256, 1024)


def mutated(data: bytes, seed: int) -> bytes:
    """Damage a file in one of eight ways, which and where by the seed."""
    rng = np.random.default_rng(seed)
    size = min(int(rng.choice(BLOCKS)), len(data) // 4)
    first, second = (int(place) for place in rng.integers(0, len(data) - size, 2))
    changed = bytearray(data)
    match int(rng.integers(8)):
        case 0:
            changed[first] ^= 1 << int(rng.integers(8))
        case 1:
            changed[first : first + size] = rng.bytes(size)
        case 2:
            changed[first : first + size] = bytes(size)
        case 3:
            changed[first : first + size] = b"\xff" * size
        case 4:
            changed[first : first + size], changed[second : second + size] = (
                data[second : second + size],
                data[first : first + size],
            )
        case 5:
            del changed[first:]
        case 6:
            del changed[first : first + size]
        case _:
            changed[first:first] = data[second : second + size]
    return bytes(changed)


def outcome(path: Path, data: bytes, sound: bytes) -> str:
    """Read mutated bytes as a file; tell whether it is read, read as something else, or refused, and by which error."""
    path.write_bytes(data)
    output = path.with_suffix(".h5")
    try:
        extract_features(path, output, SETTINGS)
    except (InputFileError, JetError) as error:
        named = str(path) in str(error) and "\n" not in str(error)
        return type(error).__name__ if named else f"UNNAMED {error}"
    return "the same" if read_table(output).tobytes() == sound else "other numbers"


def table_of(path: Path) -> bytes:
    output = path.with_suffix(".sound.h5")
    extract_features(path, output, SETTINGS)
    return read_table(output).tobytes()


def columns(names: dict[str, str], event: str) -> dict[str, ak.Array | np.ndarray]:
    rng = np.random.default_rng(5)
    pt = rng.exponential(20.0, (EVENTS, 40)).astype(np.float32)
    angle = rng.uniform(-2, 2, (2, EVENTS, 40)).astype(np.float32)
    values = {"pt": pt, "eta": angle[0], "phi": angle[1], "mass": 0.1 * pt}
    found = {name: ak.from_regular(ak.Array(values[kind])) for name, kind in names.items()}
    return {event: np.arange(EVENTS, dtype=np.uint64), **found}


NANOAOD = {f"PFCands_{name}": name for name in ("pt", "eta", "phi", "mass")}
DELPHES = {
    **{f"EFlowTrack.{name}": kind for name, kind in (("PT", "pt"), ("Eta", "eta"), ("Phi", "phi"), ("Mass", "mass"))},
    **{
        f"{group}.{name}": kind
        for group in ("EFlowPhoton", "EFlowNeutralHadron")
        for name, kind in (("ET", "pt"), ("Eta", "eta"), ("Phi", "phi"))
    },
}


def write(path: Path, kind: str) -> Path:
    """Write a small sound file: a TTree of PFNano or Delphes, or an RNTuple."""
    made = columns(DELPHES, "Event.Number") if kind == "delphes" else columns(NANOAOD, "event")
    if kind != "delphes":
        made |= {name: np.ones(EVENTS, np.uint32) for name in ("run", "luminosityBlock")}
    tree = "Delphes" if kind == "delphes" else "Events"
    with uproot.recreate(path, compression=uproot.ZSTD(3) if kind != "pfnano" else uproot.LZ4(4)) as file:
        if kind == "rntuple":
            file.mkrntuple(tree, made)
            return path
        file.mktree(tree, {name: v.type if isinstance(v, ak.Array) else v.dtype for name, v in made.items()})
        half = EVENTS // 2
        for part in (slice(None, half), slice(half, None)):
            file[tree].extend({name: values[part] for name, values in made.items()})
    return path


@pytest.mark.parametrize("kind", ["pfnano", "delphes", "rntuple"])
def test_mutated_files_are_read_or_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "sound.root", kind)
    sound, data = table_of(path), path.read_bytes()
    found = Counter(outcome(tmp_path / "mutated.root", mutated(data, seed), sound) for seed in range(40))
    assert not [name for name in found if name.startswith("UNNAMED")], found
    assert found["the same"] < 40
    assert sum(found[name] for name in ("UnreadableFileError", "DamagedFileError")) > 5


def main() -> None:
    """Mutate one file thousands of times and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="first seed (default: 0)")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # Of processor time: a machine that is busy with other things makes nothing hang.
    signal.signal(signal.SIGPROF, lambda *_: (_ for _ in ()).throw(TimeoutError("hangs")))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated.root"
        data = given.input.read_bytes()
        path.write_bytes(data)
        sound, found, slowest = table_of(path), Counter[str](), 0.0
        for seed in range(given.first, given.first + given.mutations):
            start = time.monotonic()
            signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
            try:
                found[outcome(path, mutated(data, seed), sound)] += 1
            except BaseException as error:
                found["CRASH"] += 1
                print(f"seed {seed}: {type(error).__name__}: {' '.join(str(error).split())[:300]}", flush=True)
                if isinstance(error, KeyboardInterrupt):
                    raise
            signal.setitimer(signal.ITIMER_PROF, 0)
            slowest = max(slowest, time.monotonic() - start)
    print(f"{given.input.name}: {dict(found.most_common())}, the slowest {slowest:.1f} s")


if __name__ == "__main__":
    main()
