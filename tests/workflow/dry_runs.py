"""Answer `snakemake --dry-run` again and again in a fifth of the time: snakemake is imported once, every run is a fork.

Started by the fixture `dry_runs` in the folder of a workspace. Each line of standard input is a JSON list of arguments;
the answer is a line of JSON: [exit status, everything that snakemake printed]. Nothing of oddjet is imported before the
fork, so each run reads the code as it is at that moment.
"""

import contextlib
import json
import os
import sys
import tempfile

import docutils.core  # noqa: F401  what snakemake imports only when it runs
import jinja2  # noqa: F401
import pandas as pd  # noqa: F401
import PIL  # noqa: F401
import pydantic  # noqa: F401
import requests  # noqa: F401
import smart_open  # noqa: F401
import snakemake.cli
import snakemake.scheduling.job_scheduler
import snakemake.workflow
import yte  # noqa: F401


def dry_run(arguments: list[str]) -> tuple[int, str]:
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            status = 1
            sys.argv = ["snakemake"]
            with contextlib.suppress(BaseException):
                try:
                    snakemake.cli.main(["--dry-run", "--nocolor", "--printshellcmds", *arguments])
                except SystemExit as end:
                    status = end.code or 0
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(status))
        _, wait_status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(wait_status), output.read().decode()


for line in sys.stdin:
    print(json.dumps(dry_run(json.loads(line))), flush=True)
