"""Peak memory and time of the stages after the feature tables, on synthetic tables of two sizes.

Jets of a few simulated events are copied until there are enough, each copy with another event number and its features
multiplied by 1 + 0.01 N(0, 1). The programs are those of the workflow, one after the other. The second size is the
number of jets; the first one a tenth of it.

Example: python benchmarks/scale.py --jets 10000000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from oddjet.io.tables import TableWriter, read_attributes, read_columns, read_table

SCRIPTS = Path(__file__).parents[1] / "workflow/scripts"
FILES = 10
SIGNALS = 4
SIGNAL_JETS = 10_000
ROWS = 500_000
# Columns that tell jets apart, and are not features.
NUMBERS = ("run", "luminosityBlock", "event", "entry", "jet_rank", "weight")
BAR_MB = 2000.0


# Run a script and leave its peak memory in kB in a file. Not ru_maxrss: a child inherits that of its parent.
MEASURED = """
import atexit, runpy, sys
from pathlib import Path
_, peak, *sys.argv = sys.argv
status = Path("/proc/self/status")
atexit.register(lambda: Path(peak).write_text(status.read_text().split("VmHWM:")[1].split()[0]))
sys.path.insert(0, str(Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def program(name: str, *words: object) -> tuple[float, float]:
    """Run a program of the workflow; return its processor time in seconds and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        peak = Path(folder) / "peak"
        command = [sys.executable, "-c", MEASURED, str(peak), str(SCRIPTS / f"{name}.py"), *map(str, words)]
        _, status, used = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
        if status:
            raise SystemExit(f"{name} failed; its message stands above")
        return used.ru_utime + used.ru_stime, int(peak.read_text()) / 1024


def simulated(folder: Path, sample: str, process: dict[str, object], events: int) -> Path:
    """Simulate events and return the table of their jets."""
    root, table = folder / f"{sample}.root", folder / f"{sample}.h5"
    given = ("--part", 0, "--seed", 1, "--events", events, "--process", json.dumps(process))
    program("simulate_sample", "--sample", sample, *given, "--output", root)
    match = "dark_quark" if process["name"] == "svj" else "none"
    program("extract_features", "--sample", sample, "--input", root, "--require-match", match, "--output", table)
    return table


def copied(table: Path, output: Path, jets: int, seed: int) -> Path:
    """Write a table of as many jets as asked for, copies of those of another one."""
    generator = np.random.default_rng(seed)
    known, columns = read_table(table), read_columns(table)
    attributes = {name: value for name, value in read_attributes(table).items() if name not in ("rows", "complete")}
    with TableWriter(output, columns, attributes) as writer:
        for start in range(0, jets, ROWS):
            rows = known[generator.integers(len(known), size=min(ROWS, jets - start))]
            rows["entry"] = np.arange(start, start + len(rows))
            rows["event"], rows["jet_rank"], rows["run"] = rows["entry"] + 1, 0, 1000 + seed
            for column in columns:
                if column.name not in NUMBERS and rows[column.name].dtype.kind == "f":
                    rows[column.name] *= 1.0 + 0.01 * generator.standard_normal(len(rows))
            writer.append(rows)
        writer.finish()
    return output


def stages(folder: Path, top: Path, svj: Path, jets: int, threads: int) -> dict[str, tuple[float, float]]:
    """Run the stages on a number of background jets; return processor time and peak memory of each."""
    folder.mkdir()
    tables = [copied(top, folder / f"top_{part}.h5", jets // FILES, part) for part in range(FILES)]
    names = [f"svj_mphi-{1000 * (place + 1)}_rinv-0p3" for place in range(SIGNALS)]
    grid = [f"{name}={copied(svj, folder / f'{name}.h5', SIGNAL_JETS, 100)}" for name in names]
    split = {part: folder / f"{part}.h5" for part in ("train", "validation", "test")}
    scaler, model, scores = folder / "scaler.json", folder / "ae", folder / "scores.h5"
    parts = [word for part, path in split.items() for word in (f"--{part}", path)]
    settings = json.dumps({"kind": "ae", "training": {"epochs": 1}})
    trained = ("--train", split["train"], "--validation", split["validation"], "--scaler", scaler)
    score = ("--models", model / "model.pt", "--background", split["test"], "--signals", *grid, "--output", scores)
    run: dict[str, Callable[[], tuple[float, float]]] = {
        "build_dataset": lambda: program("build_dataset", "--inputs", *tables, *parts, "--scaler", scaler),
        "train_model": lambda: program(
            *("train_model", "--method", "ae", "--settings", settings, "--seeds", 1, 2),
            *(*trained, "--output-dir", model, "--threads", threads),
        ),
        "score": lambda: program("score", "--method", "ae", "--settings", '{"kind": "ae"}', *score),
        "evaluate": lambda: program(
            "evaluate", "--scores", scores, "--auc", folder / "auc.csv", "--merit", folder / "merit.csv"
        ),
    }
    found = {}
    for name, stage in run.items():
        start = time.perf_counter()
        found[name] = stage()
        print(
            f"{jets:>9} jets {name:14} {found[name][0]:8.1f} s {found[name][1]:7.0f} MB "
            f"({time.perf_counter() - start:.1f} s in all)",
            flush=True,
        )
    return found


def main() -> None:
    """Measure both sizes and compare the peaks."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--jets", type=int, default=1_000_000, help="background jets (default: %(default)s)")
    arguments.add_argument("--threads", type=int, default=1, help="of the training (default: %(default)s)")
    arguments.add_argument("--folder", type=Path, help="where the tables lie for the time (default: a temporary one)")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        top = simulated(folder, "top", {"name": "top_pairs"}, 1000)
        svj = simulated(folder, "svj_mphi-2000_rinv-0p3", {"name": "svj", "m_phi": 2000, "r_inv": 0.3}, 400)
        small = stages(folder / "small", top, svj, given.jets // 10, given.threads)
        large = stages(folder / "large", top, svj, given.jets, given.threads)
    for stage, (_, peak) in large.items():
        print(f"ratio scale_memory_{stage} {small[stage][1] / peak:.2f}")
    print(f"ratio scale_memory_bar {BAR_MB / max(peak for _, peak in large.values()):.2f}")


if __name__ == "__main__":
    main()
