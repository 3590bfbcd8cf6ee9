"""What a run will cost: jobs, core hours, memory, disk and wall time, from the benchmarks of an earlier one."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oddjet.batches import batches_of, stage_of
from oddjet.benchmarks import Cost, read_costs
from oddjet.config import Config, load_config
from oddjet.configfile import read_configuration
from oddjet.errors import ConfigError, ResultsError
from oddjet.run_record import NAME, remembered
from oddjet.samples import Simulated

# What a job's time grows with: the events of a batch of files, or those of all files.
BY_FILE = ("simulate_sample", "extract_features")
FOLDERS = {"samples": "simulate_sample", "tables": "extract_features"}


@dataclass(frozen=True)
class RuleForecast:
    """What the jobs of a rule will cost.

    Attributes
    ----------
    rule
        Its name.
    jobs
        Jobs that the run starts.
    core_hours, longest_hours
        Of all jobs together; of one.
    memory_mb
        Of one job, the largest that was measured.
    factor
        Work of a job of this run over that of the earlier one; NaN where none was measured.
    """

    rule: str
    jobs: int
    core_hours: float
    longest_hours: float
    memory_mb: float
    factor: float


def read_measured(results: Path) -> dict[str, Cost]:
    """Read what the jobs of a run took, by rule; raise `ResultsError` where nothing was measured."""
    found = {cost.rule: cost for cost in read_costs(results / "benchmarks")}
    if not found:
        raise ResultsError(f"{results}/benchmarks: no benchmark; give the results folder of a finished run")
    return found


def planned_jobs(configfiles: Sequence[Path], snakefile: Path) -> dict[str, int]:
    """Ask Snakemake for the jobs of a whole run, by rule; raise `ConfigError` with what it says."""
    if not snakefile.is_file():
        raise ConfigError(f"{snakefile}: no such file; a forecast needs the folder of the workflow (--snakefile)")
    command = [sys.executable, "-m", "snakemake", "--nocolor", "--dry-run", "--forceall", "--snakefile", str(snakefile)]
    done = subprocess.run(  # noqa: S603
        [*command, "--configfile", *map(str, configfiles)], capture_output=True, text=True, check=False
    )
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total ", done.stdout, re.MULTILINE | re.DOTALL)
    if done.returncode or table is None:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise ConfigError(f"the workflow cannot be planned: {said[-1] if said else 'snakemake says nothing'}")
    counts: Counter[str] = Counter()
    for rule, count in re.findall(r"^(\S+) +(\d+)$", table[1], re.MULTILINE):
        counts[stage_of(rule)] += int(count)
    return counts


def forecast(
    jobs: Mapping[str, int], measured: Mapping[str, Cost], config: Config, earlier: Config | None
) -> list[RuleForecast]:
    """Scale what was measured to the jobs of a run.

    A job on a batch of files goes by their events, a training by background events, epochs and seeds of a job, every
    other one by all events; each is taken to be proportional, which start-up makes an overestimate for a larger run.

    Parameters
    ----------
    jobs
        From `planned_jobs`.
    measured
        From `read_measured`.
    config, earlier
        Of the run to come and of the one that was measured; without the latter nothing is scaled.
    """
    costs = []
    for rule, count in jobs.items():
        known = measured.get(rule)
        if known is None:
            costs.append(RuleForecast(rule, count, 0.0, 0.0, 0.0, math.nan))
            continue
        factor = 1.0 if earlier is None else work(rule, config) / work(rule, earlier)
        hours = max(known.processor, 0.0) / known.jobs * factor / 3600
        wall = known.seconds / known.jobs * factor / 3600
        costs.append(RuleForecast(rule, count, count * hours, wall, known.memory, factor))
    return costs


def work(rule: str, config: Config) -> float:
    """Return what the time of a job is proportional to; 1 where files say it and the configuration does not."""
    samples = config.all_samples().values()
    simulated = [sample for sample in samples if isinstance(sample, Simulated)]
    if not simulated:
        return 1.0
    if rule in BY_FILE:
        return sum(sample.events for sample in simulated) / _batches(config)
    if rule == "train_model":
        background = [sample.events for sample in simulated if sample.kind == "background"]
        trained = [getattr(method, "training", None) for method in config.methods.values()]
        epochs = [schedule.epochs for schedule in trained if schedule is not None]
        return (sum(background) or 1) * (sum(epochs) / len(epochs) if epochs else 1) * config.seeds_per_job
    return float(sum(sample.events for sample in simulated))


def _batches(config: Config) -> int:
    """Count the batches of files that are simulated."""
    files = {
        name: list(map(str, range(sample.parts)))
        for name, sample in config.all_samples().items()
        if isinstance(sample, Simulated)
    }
    return len(batches_of(files, config.files_per_job, config.signals.masses()))


def earlier_configuration(results: Path) -> Config | None:
    """Return the configuration that a results folder remembers; None where it remembers none that fits."""
    before = remembered(results)
    try:
        return None if before is None else load_config(before.configuration)
    except ConfigError:
        return None


def disk_gigabytes(results: Path, jobs: Mapping[str, int], costs: Sequence[RuleForecast]) -> float:
    """Estimate the space of samples and tables (nearly all of a run) from the mean file of the earlier run."""
    factors = {cost.rule: cost.factor for cost in costs}
    total = 0.0
    for folder, rule in FOLDERS.items():
        sizes = [path.stat().st_size for path in (results / folder).rglob("*") if path.is_file()]
        if sizes and jobs.get(rule) and not math.isnan(factors[rule]):
            total += jobs[rule] * factors[rule] * sum(sizes) / len(sizes)
    return total / 1e9


def write_forecast(costs: Sequence[RuleForecast], gigabytes: float, cores: int) -> str:
    """Write the costs as text: a line a rule, and the whole with the wall time on a number of cores."""
    lines = [f"{'rule':28s} {'jobs':>6s} {'core hours':>11s} {'longest (h)':>12s} {'memory (MB)':>12s}"]
    for cost in sorted(costs, key=lambda cost: -cost.core_hours):
        if not math.isnan(cost.factor):
            own = f"{cost.core_hours:11.3f} {cost.longest_hours:12.3f} {cost.memory_mb:12.0f}"
            lines.append(f"{cost.rule:28s} {cost.jobs:6d} {own}")
    unknown = [cost.rule for cost in costs if math.isnan(cost.factor)]
    hours = sum(cost.core_hours for cost in costs)
    wall = max(hours / cores, max((cost.longest_hours for cost in costs), default=0.0))
    memory = max((cost.memory_mb for cost in costs), default=0.0)
    lines.append(
        f"{'all':28s} {sum(cost.jobs for cost in costs):6d} {hours:11.3f} {wall:12.3f} {memory:12.0f}"
        f"\nAt least {wall:.2f} h on {cores} cores, {gigabytes:.2f} GB of samples and tables."
    )
    if unknown:
        lines.append(f"Not measured in the earlier run, and not counted: {', '.join(unknown)}.")
    return "\n".join(lines)


def make_forecast(configfiles: Sequence[Path], results: Path, snakefile: Path, cores: int) -> str:
    """Forecast a run from files; raises as the functions above."""
    config = load_config(read_configuration(configfiles))
    measured = read_measured(results)
    jobs = planned_jobs(configfiles, snakefile)
    earlier = earlier_configuration(results)
    costs = forecast(jobs, measured, config, earlier)
    text = write_forecast(costs, disk_gigabytes(results, jobs, costs), cores)
    return (
        text
        if earlier
        else text + f"\n{results}/{NAME} does not fit this version: jobs are taken to be as large as then."
    )
