"""Measure how long the plan of the full grid takes; prints a line `ratio plan_grid VALUE`.

The grid is that of config/paper.yaml with 8 methods and 10 seeds, nothing of it done. The ratio is to a bare workflow
of as many jobs in as many rules, a file each, without code digests or a configuration that is validated: processor time
of `snakemake -n`, the least of some runs. The bar on the seconds, 6, is for an idle machine.

Example: python benchmarks/plan_grid.py --runs 3
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("config", "profiles", "rules", "src", "workflow", "envs", "Snakefile")


def full_grid() -> dict[str, object]:
    """Take the paper's configuration with 8 trained methods and 10 seeds in groups of 5."""
    config: dict[str, object] = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    methods = config["methods"]
    assert isinstance(methods, dict)
    trained = [(name, method) for name, method in methods.items() if "training" in method]
    config["methods"] = dict([(f"{name}_{copy}", method) for copy in range(8) for name, method in trained][:8])
    config |= {"seeds": list(range(1, 11)), "seeds_per_job": 5}
    return config


def bare_workflow(jobs: int, rules: int) -> str:
    """Write a Snakefile with a number of rules that make a number of files."""
    counts = [jobs // rules + (rule < jobs % rules) for rule in range(rules)]
    inputs = " + ".join(f'expand("{rule}/{{i}}", i=range({count}))' for rule, count in enumerate(counts))
    text = f"rule all:\n    input: {inputs}\n"
    for rule in range(rules):
        text += f'rule make_{rule}:\n    output: "{rule}/{{i}}"\n    shell: "touch {{output}}"\n'
    return text


def plan(folder: Path, runs: int, *arguments: str) -> tuple[float, list[int]]:
    """Give the least seconds of processor time of a dry run, and the number of jobs of each rule."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "--nocolor", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise SystemExit(done.stderr)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    table = (done.stdout + done.stderr).partition("Job stats:")[2].partition("total")[0]
    return min(times), [int(count) for count in re.findall(r"^[\w-]+ +(\d+)$", table, re.MULTILINE)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=3, help="dry runs of each, of which the fastest counts")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        ours, bare = Path(name, "ours"), Path(name, "bare")
        bare.mkdir()
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, ours / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, ours / part)
        (ours / "config/grid.yaml").write_text(json.dumps(full_grid()))
        seconds, jobs = plan(ours, given.runs, "--configfile", "config/grid.yaml")
        (bare / "Snakefile").write_text(bare_workflow(sum(jobs), len(jobs)))
        theirs, plain = plan(bare, given.runs)
    assert sum(plain) >= sum(jobs) > 100, (plain, jobs)
    print(f"# {sum(jobs)} jobs of {len(jobs)} rules: {seconds:.1f} s, a bare workflow of as many {theirs:.1f} s")
    print(f"ratio plan_grid {theirs / seconds:.2f}")


if __name__ == "__main__":
    main()
