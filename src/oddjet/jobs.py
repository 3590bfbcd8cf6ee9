"""What the workflow would do today: for every result the job that makes it, with its command line, inputs and code.

The rules are the one place that says what a program is given. What compares results with a configuration asks them,
through Snakemake, and keeps no list of its own.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from snakemake.api import SnakemakeApi, WorkflowApi
from snakemake.exceptions import WorkflowError
from snakemake.iocontainers import InputFiles, OutputFiles, Params
from snakemake.rules import Rule
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings, WorkflowSettings
from snakemake.utils import format as fill_in
from snakemake.workflow import Workflow

from oddjet.batches import commands_of
from oddjet.errors import ConfigError
from oddjet.program import options_of

SNAKEFILE = Path(__file__).resolve().parents[2] / "Snakefile"


@dataclass(frozen=True)
class PlannedJob:
    """A job that the workflow would run.

    Attributes
    ----------
    rule, script
        Names, of the script without `.py`.
    command
        What the shell would run.
    options
        What the program would be given, as `oddjet.program.options_of` sorts it.
    code_digest
        Digest of the program's code, as the rule has it.
    inputs, outputs
        Files by the names that they have in the rules: `results/...`, or own ones. Left out: what only has to be there
        (`ancient`), whatever it holds.
    """

    rule: str
    script: str
    command: str
    options: dict[str, list[Any]]
    code_digest: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Filled(NamedTuple):
    """A rule with its wildcards filled in, as Snakemake does it: `values` are what it compares of the parameters."""

    rule: Rule
    wildcards: dict[str, str]
    inputs: InputFiles
    outputs: OutputFiles
    params: Params
    values: list[Any]


class Jobs:
    """The rules under one configuration.

    Parameters
    ----------
    configfile
        The configuration (YAML).
    snakefile
        The workflow.

    Raises
    ------
    ConfigError
        Either file is missing, or the workflow refuses the configuration.
    """

    def __init__(self, configfile: Path, snakefile: Path = SNAKEFILE) -> None:
        for path in (configfile, snakefile):
            if not path.is_file():
                raise ConfigError(
                    f"{path}: no such file. The plan needs the configuration and the workflow's Snakefile."
                )
        try:
            with (
                _unchanged_process(),
                TemporaryDirectory() as cache,
                SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, dryrun=True)) as api,
            ):
                loaded = api.workflow(
                    ResourceSettings(cores=1),
                    ConfigSettings(configfiles=[configfile.resolve()]),
                    workflow_settings=WorkflowSettings(runtime_source_cache_path=Path(cache)),
                    snakefile=snakefile,
                )
                self.rules: tuple[Rule, ...] = tuple(_included(loaded).rules)
                # Most rules make a batch of files, and no pattern has to be tried on each.
                self._makers = {
                    str(file): rule for rule in self.rules if not rule.wildcard_names for file in rule.output
                }
                # Of the others only those whose files begin alike.
                self._starts = [
                    (rule, tuple(file.constant_prefix() for file in rule.output))
                    for rule in self.rules
                    if rule.shellcmd and rule.wildcard_names
                ]
                self._jobs: dict[str, list[PlannedJob]] = {}
                self._filled: dict[tuple[str, tuple[str, ...]], Filled | None] = {}
        except WorkflowError as error:
            raise ConfigError(f"{configfile}: {error}") from error

    def jobs(self, path: str) -> list[PlannedJob]:
        """List the jobs that would make a file; none where the configuration has no use for it.

        Parameters
        ----------
        path
            Name of the file as the rules know it, `results/jets/auc/ae.csv`.
        """
        if path not in self._jobs:
            maker = self._makers.get(path)
            alike = [rule for rule, starts in self._starts if not maker and path.startswith(starts)]
            rules = [maker] if maker else [rule for rule in alike if rule.is_producer(path)]
            filled = [self.filled(rule, path) for rule in rules]
            self._jobs[path] = [_planned(one, path) for one in filled if one is not None]
        return self._jobs[path]

    def filled(self, rule: Rule, path: str) -> Filled | None:
        """Return a rule filled in for a file that it makes; None where the configuration has no use for the file.

        It is filled in once for all files that it makes together.
        """
        wildcards = rule.get_wildcards(path)
        key = rule.name, tuple(map(str, wildcards.values()))
        if key not in self._filled:
            try:
                inputs = rule.expand_input(wildcards)[0]
                outputs = rule.expand_output(wildcards)[0]
                # Parameters that depend on threads or memory do not exist here: such a number changes no result.
                params, values = rule.expand_params(wildcards, inputs, outputs, None)
            except (WorkflowError, LookupError):
                self._filled[key] = None  # a sample, part, method or group that the configuration does not have
            else:
                self._filled[key] = Filled(rule, wildcards, inputs, outputs, params, values)
        return self._filled[key]


def _included(loaded: WorkflowApi) -> Workflow:
    """Read the Snakefile into a workflow with names of its own.

    All workflows of a process share one set of names in Snakemake: the functions of a plan's rules would ask the
    configuration of the plan that was made last.
    """
    loaded._workflow_store = workflow = loaded._get_workflow()
    workflow.modifier.globals = dict(workflow.globals)
    workflow.include(loaded.snakefile, overwrite_default_target=True)
    workflow.check()
    return workflow


def _planned(filled: Filled, path: str) -> PlannedJob:
    rule, inputs, outputs = filled.rule, filled.inputs, filled.outputs
    command = fill_in(
        rule.shellcmd,
        input=inputs,
        output=outputs,
        params=filled.params,
        wildcards=_Names(filled.wildcards),
        threads=1,
        log=rule.expand_log(filled.wildcards),
    )
    script, commands = _program(command)
    made, read = tuple(map(str, outputs)), tuple(str(file) for file in inputs if not file.is_ancient)
    words = commands[0]
    if len(commands) > 1:
        # Of a batch, what makes this file.
        words = next(words for words in commands if path in words)
        others = {word for other in commands for word in other} - {*words}
        made, read = (path,), tuple(file for file in read if file not in others)
    return PlannedJob(rule.name, script, command, options_of(words), str(filled.params.code), read, made)


class _Names(dict[str, str]):
    """Wildcards as the commands name them: `wildcards.sample`."""

    __getattr__ = dict.__getitem__


def _program(command: str) -> tuple[str, list[list[str]]]:
    """Split a rule's command into the name of the script and the words after it, of each file, without the log."""
    words = _words(command)
    place = next(number for number, word in enumerate(words) if "workflow/scripts/" in word)
    end = len(words) - 3 if words[-3] == ">" else len(words)
    return Path(words[place]).stem, commands_of(words[place + 1 : end])


@lru_cache(maxsize=10_000)  # whoever compares plans meets most commands again, and to split one is a quarter of a job
def _words(command: str) -> list[str]:
    return shlex.split(command)


@contextmanager
def _unchanged_process() -> Iterator[None]:
    """Undo what the Snakefile does to the process that reads it: environment and import path."""
    environment, path = dict(os.environ), list(sys.path)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = path
