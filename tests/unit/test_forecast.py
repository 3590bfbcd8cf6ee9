"""`oddjet forecast`: costs by hand from the benchmarks of an earlier run, and the jobs that Snakemake plans."""

from __future__ import annotations

import math
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from oddjet.cli.main import COMMANDS
from oddjet.config import Config, load_config
from oddjet.errors import ConfigError, ResultsError
from oddjet.forecast import disk_gigabytes, forecast, planned_jobs, read_measured, work, write_forecast
from oddjet.run_record import remember

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "config/test/published.yaml"


def config(events: int = 1000, epochs: int = 10, seeds_per_job: int = 1) -> Config:
    return load_config(
        {
            "seed": 1,
            "files_per_job": 1,
            "seeds": [1, 2],
            "seeds_per_job": seeds_per_job,
            "samples": {
                "top": {"kind": "background", "process": {"name": "top_pairs", "pthat_min": 450}, "events": events}
            },
            "signals": {"m_phi": [2000], "r_inv": [0.3], "events": events},
            "methods": {"ae": {"kind": "ae", "training": {"epochs": epochs}}},
        }
    )


def measure(results: Path, costs: dict[str, tuple[float, float, float]]) -> Path:
    """Write benchmarks as Snakemake does: wall time (s), memory (MB), processor time (s) of a job."""
    for name, (seconds, memory, processor) in costs.items():
        path = results / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:00\t{memory}\t{processor}\n")
    return results


COSTS = {
    "simulate_sample/top/0000": (100.0, 300.0, 90.0),
    "simulate_sample/svj/0000": (200.0, 500.0, 180.0),
    "train_model/jets/ae/seeds-1": (3600.0, 800.0, 3600.0),
}


def test_costs_are_scaled_by_events_epochs_and_seeds(tmp_path):
    measured = read_measured(measure(tmp_path, COSTS))
    bigger = config(events=3000, epochs=20, seeds_per_job=2)
    assert work("simulate_sample", bigger) / work("simulate_sample", config()) == 3
    jobs = {"simulate_sample": 4, "train_model": 1, "plot_methods": 2}
    rows = {row.rule: row for row in forecast(jobs, measured, bigger, config())}
    # Of two jobs 270 s of processor time: 135 s a job, thrice the events, four jobs.
    assert rows["simulate_sample"].core_hours == pytest.approx(4 * 3 * 135 / 3600)
    assert rows["simulate_sample"].longest_hours == pytest.approx(3 * 150 / 3600)
    assert rows["simulate_sample"].memory_mb == 500
    # Thrice the events, twice the epochs, twice the seeds of a job.
    assert rows["train_model"].core_hours == pytest.approx(12.0)
    assert math.isnan(rows["plot_methods"].factor)
    unscaled = forecast(jobs, measured, bigger, None)
    assert unscaled[1].core_hours == pytest.approx(1.0)


def test_the_text_names_what_was_not_measured(tmp_path):
    measured = read_measured(measure(tmp_path, COSTS))
    costs = forecast({"simulate_sample": 4, "train_model": 2, "plot_methods": 2}, measured, config(), config())
    text = write_forecast(costs, 1.5, cores=2)
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines()}
    assert list(lines)[:4] == ["rule", "train_model", "simulate_sample", "all"]
    assert lines["train_model"] == ["2", "2.000", "1.000", "800"]
    assert lines["all"] == ["8", "2.150", "1.075", "800"]
    assert "At least 1.07 h on 2 cores, 1.50 GB of samples and tables." in text
    assert "Not measured in the earlier run, and not counted: plot_methods." in text
    # Not faster than its longest job, however many cores.
    assert "At least 1.00 h on 64 cores" in write_forecast(costs, 0.0, cores=64)


def test_disk_goes_by_the_mean_file(tmp_path):
    for name, size in (("samples/top/0000.root", 2_000_000), ("samples/svj/0000.root", 4_000_000)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    measured = read_measured(measure(tmp_path, COSTS))
    jobs = {"simulate_sample": 10}
    costs = forecast(jobs, measured, config(events=2000), config())
    assert disk_gigabytes(tmp_path, jobs, costs) == pytest.approx(10 * 2 * 3e6 / 1e9)


def test_what_cannot_be_forecast_is_told(tmp_path):
    with pytest.raises(ResultsError, match="no benchmark; give the results folder of a finished run"):
        read_measured(tmp_path)
    with pytest.raises(ConfigError, match=r"Snakefile: no such file; a forecast needs the folder of the workflow"):
        planned_jobs([SMALL], tmp_path / "Snakefile")


@pytest.mark.slow
def test_the_command_counts_the_jobs_of_the_workflow(tmp_path):
    """A folder beside the workflow: what was measured there, and the configuration that it remembers."""
    results = measure(tmp_path / "results", COSTS)
    earlier = load_config(yaml.safe_load(SMALL.read_text()))
    remember(results, earlier.values(), ["published.yaml"])
    command = [sys.executable, "-m", "oddjet.cli.main", "forecast", SMALL, "--snakefile", ROOT / "Snakefile"]
    done = subprocess.run(
        [*map(str, command), "--results", "results", "--cores", "4"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counted = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if re.match(r"\w+ +\d", line)}
    # The same configuration: nothing is scaled. A batch of two files of top, and one of both signals.
    assert counted["simulate_sample"][0] == "2"
    assert float(counted["simulate_sample"][1]) == pytest.approx(2 * 135 / 3600, abs=1e-3)
    assert "Not measured in the earlier run" in done.stdout
    assert "does not fit this version" not in done.stdout
    # The example of `--help`, beside the workflow as it is there.
    (tmp_path / "config").symlink_to(ROOT / "config")
    words = shlex.split(COMMANDS["forecast"].example)[1:]
    command = [sys.executable, "-m", "oddjet.cli.main", *words, "--snakefile", ROOT / "Snakefile"]
    done = subprocess.run([*map(str, command)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "on 64 cores" in done.stdout
