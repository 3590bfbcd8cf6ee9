"""Run all programs of this folder that print lines `ratio NAME VALUE`; put the ratios into one table with their bars.

The table is Markdown: ratio, bar and whether it is reached, below a line with machine, versions and commit. All lines
of the programs are printed as they come. Quiet machines only: say what else was running where the table is quoted.

Example: python benchmarks/table.py --only train_step roofline --output table.md
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from oddjet.provenance.attributes import PACKAGES, installed_version, processor

FOLDER = Path(__file__).parent
# A word that such a program prints, and none of the others.
PRINTS = 'f"ratio '
# The least that a ratio shall be; of those in `MOST`, the most.
BARS = {
    "features_top": 3.0,
    "features_svj": 5.0,
    "features_two_cores": 1.8,
    "features_check": 0.95,
    "assignment_congested": 1.0,
    "wnae_step_256": 15.0,
    "wnae_step_1024": 20.0,
    "wnae_ensemble_8": 30.0,
    "event_distance": 15.0,
    "event_nearest": 5.0,
    "image_distance": 2.5,
    "compile": 1.0,
    "plan_default_bar": 1.0,
    "start_slowest": 1.0,
    "scale_memory_bar": 1.0,
    "loss_sinkhorn_blur_0.7": 20.0,
    "loss_sinkhorn_blur_1.5": 20.0,
    "loss_sinkhorn_blur_3": 20.0,
}
MOST = {"step_blur_0.7": 2.0, "step_blur_1.5": 2.0, "step_blur_3": 2.0}


def programs(only: Sequence[str]) -> list[Path]:
    """Return the programs that print ratios, or those of them that are asked for."""
    own = Path(__file__).name
    found = [path for path in sorted(FOLDER.glob("*.py")) if path.name != own and PRINTS in path.read_text()]
    unknown = set(only) - {path.stem for path in found}
    if unknown:
        names = ", ".join(path.stem for path in found)
        raise SystemExit(f"--only: no program {sorted(unknown)[0]} that prints ratios; there are {names}")
    return [path for path in found if not only or path.stem in only]


def ratios(path: Path) -> Iterator[tuple[str, float]]:
    """Run a program, show its lines, and give its ratios; end where it fails."""
    print(f"# {path.stem}", flush=True)
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - ours
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            if found := re.fullmatch(r"ratio (\S+) (\S+)\n", line):
                yield found[1], float(found[2])
    if child.returncode:
        raise SystemExit(f"{path.stem} failed; its message stands above")
    print(f"# {path.stem}: {time.perf_counter() - start:.0f} s\n", flush=True)


def machine() -> str:
    """Describe processor, packages and commit in a line."""
    versions = ", ".join(f"{name} {installed_version(name)}" for name in (*PACKAGES, "lapx", "snakemake"))
    command = ["git", "-C", str(FOLDER), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - git
    today = dt.datetime.now(tz=dt.UTC).date()
    words = f"{os.cpu_count()} cores of {processor()}, Python {platform.python_version()}, {versions}"
    return f"{words}; commit {commit or 'unknown'}; {today}; load {os.getloadavg()[0]:.1f} before"


def row(program: str, name: str, value: float) -> str:
    """Write a row of the table."""
    bar, most = BARS.get(name), MOST.get(name)
    if bar is None and most is None:
        return f"| `{program}` | `{name}` | {value:g} | | |"
    reached = value >= bar if bar is not None else value <= (most or 0.0)
    words = f"{bar:g}" if bar is not None else f"at most {most:g}"
    return f"| `{program}` | `{name}` | {value:g} | {words} | {'yes' if reached else '**no**'} |"


def main() -> None:
    """Run the programs and write the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", nargs="*", default=[], metavar="NAME", help="programs, without `.py` (all)")
    arguments.add_argument("--output", type=Path, help="file of the table; printed in any case")
    given = arguments.parse_args()
    lines = [machine(), "", "| program | ratio | value | bar | reached |", "|---|---|---|---|---|"]
    seen: set[str] = set()
    for path in programs(given.only):
        for name, value in ratios(path):
            lines.append(row(path.stem, name, value))
            seen.add(name)
    missing = {*BARS, *MOST} - seen
    if missing and not given.only:
        raise SystemExit(f"no program printed {', '.join(sorted(missing))}, which have a bar")
    text = "\n".join(lines) + "\n"
    print(text)
    if given.output is not None:
        given.output.write_text(text)


if __name__ == "__main__":
    main()
