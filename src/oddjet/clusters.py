"""What a run needs of a batch system before its first job, and how little of the workflow one of its jobs needs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from types import ModuleType

from oddjet.batches import Batch
from oddjet.errors import ResultsError

HTCONDOR = "snakemake_executor_plugin_htcondor"
# Before its first look at its jobs; setting up takes milliseconds.
HTCONDOR_SECONDS = 2


def check_slurm(status_command: str, *, account: bool, path: str | None = None) -> None:
    """Check that the commands that submit jobs and ask for them are there: without them Snakemake waits for ever.

    Parameters
    ----------
    status_command
        `squeue` or `sacct`.
    account
        Whether an account is given; otherwise Snakemake asks `sacct` for one.
    path
        Where to look; left out: PATH.

    Raises
    ------
    ResultsError
    """
    needed = ["sbatch", status_command] + ([] if account else ["sacct"])
    missing = [command for command in dict.fromkeys(needed) if shutil.which(command, path=path) is None]
    if missing:
        way_out = "load the module of Slurm, or run without --profile slurm"
        if missing == ["sacct"] and status_command != "sacct":
            way_out = "give slurm_account in slurm/config.yaml, for without it the account is asked from sacct"
        raise ResultsError(f"Slurm is not here: no {', '.join(missing)} among the commands; {way_out}.")


def set_up_htcondor(modules: Mapping[str, ModuleType] = sys.modules) -> None:
    """Let the plugin for HTCondor look at its jobs only after it is set up.

    In plugin 0.3.0 a thread begins with that beside the setting up, on a busy machine before its end. The thread is
    then over, and Snakemake waits for its first job for ever.
    """
    plugin = modules.get(HTCONDOR)
    if plugin is not None:
        plugin.common_settings.init_seconds_before_status_checks = HTCONDOR_SECONDS


def without_other_jobs(
    batches: Iterable[Batch], stage: str, command: Sequence[str], *, main_process: bool
) -> list[Batch]:
    """Leave out the batches that the process of another job makes: 10^4 rules take as many milliseconds, in each job.

    Parameters
    ----------
    batches
        All of a stage.
    stage
        With it the names of their rules begin.
    command
        The command line of this process. For a job, Snakemake names its rules there (`--allowed-rules`), and plans no
        others.
    main_process
        Whether this is no job's: it plans all.
    """
    option = "--allowed-rules"
    if main_process or option not in command:
        return list(batches)
    words = command[command.index(option) + 1 :]
    allowed = set(takewhile(lambda word: not word.startswith("-"), words))
    return [batch for batch in batches if f"{stage}_{batch.name}" in allowed]
