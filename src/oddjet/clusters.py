"""What a run needs of a batch system before its first job, where Snakemake would otherwise wait for ever."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from types import ModuleType

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
