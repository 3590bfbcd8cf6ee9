# What every stage's rules use: the checked configuration, the files of a sample, digests, wildcards.
import json
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

# The folder of this workflow: of its Snakefile, wherever Snakemake was started and whether or not it is used as a module.
ODDJET = Path(str(workflow.current_basedir)).parent
if not (ODDJET / "src/oddjet").is_dir():
    raise WorkflowError(
        f"{ODDJET} holds no src/oddjet: clone the repository and name the Snakefile of the clone, not its address."
    )
# The package of this folder is the one whose code is digested, so it is the one that every job imports; and the Python
# that runs Snakemake runs the jobs, unless they have conda environments of their own.
sys.path.insert(0, str(ODDJET / "src"))
from oddjet.provenance.environment import UNWANTED, job_environment

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
os.environ.update(
    job_environment(
        ODDJET, Path.cwd(), os.environ, python=None if CONDA else sys.executable
    )
)
for name in UNWANTED:
    os.environ.pop(name, None)

from oddjet.config import load_config
from oddjet.configfile import read_configuration
from oddjet.errors import OddjetError
from oddjet.detectors.autoencoder.settings import OBJECTIVES
from oddjet.inputs import listed_files
from oddjet.provenance.digest import code_digest
from oddjet.addresses import is_remote
from oddjet.run_record import (
    check_slurm,
    check_start,
    file_names,
    other_configuration,
)
from oddjet.samples import Simulated
from oddjet.sources import find_samples, refuse_shared

CONFIG_FILES = workflow.overwrite_configfiles or [ODDJET / "config/config.yaml"]


def configuration():
    # Read again, strictly; a module has what the module statement gives it.
    if not workflow.modifier.is_main_snakefile():
        return config
    return read_configuration(CONFIG_FILES, workflow.config_settings.config)


def tell_left_out(found):
    # Once: the jobs of a run parse the workflow again.
    for line in sorted({line for sample in found.values() for line in sample.left_out}):
        if workflow.is_main_process:
            logger.warning(f"files: {line}")


try:
    CONFIG = load_config(configuration())
    SAMPLES = CONFIG.all_samples()
    LISTED = listed_files(CONFIG)
    # Part name to the ROOT file behind it, by sample; None where Pythia makes the file.
    PARTS = {
        name: (
            dict.fromkeys(f"{part:04d}" for part in range(sample.parts))
            if isinstance(sample, Simulated)
            else LISTED[name].parts
        )
        for name, sample in SAMPLES.items()
    }
    tell_left_out(LISTED)
except OddjetError as error:
    raise WorkflowError(str(error)) from None

if not any(os.access(path, os.W_OK) for path in (".snakemake", ".")):
    raise WorkflowError(
        f"{Path.cwd()} cannot be written, and Snakemake keeps its notes there. Run in a folder of your own: --directory FOLDER"
    )

RUN = (Path("results"), CONFIG.values(), file_names(CONFIG_FILES, Path.cwd()))
if workflow.is_main_process and CONFIG.on_other_results == "fail":
    other = other_configuration(*RUN)
    if other is not None:
        logger.warning(
            f"{other}: a run in this folder will be refused (on_other_results)."
        )

GROUPS = CONFIG.ensemble.groups()


def any_of(names):
    # An empty list must match nothing; an empty pattern would match the empty name.
    return "|".join(re.escape(str(name)) for name in names) or "(?!)"


def grown(amount):
    # Memory (MB) or time (minutes) of a job: a second attempt, after one that had too little, gets twice as much.
    return lambda wildcards, attempt: attempt * amount


wildcard_constraints:
    sample=any_of(SAMPLES),
    part=r"[A-Za-z0-9_.-]+",
    method=any_of(CONFIG.methods),
    group=any_of(GROUPS),


def simulated_files(sample):
    return [
        f"results/samples/{sample}/{part}.root"
        for part, file in PARTS[sample].items()
        if file is None
    ]


def feature_tables(sample):
    return [f"results/tables/{sample}/{part}.h5" for part in PARTS[sample]]


def candidates_of(wildcards):
    file = PARTS[wildcards.sample][wildcards.part]
    return (
        f"results/samples/{wildcards.sample}/{wildcards.part}.root"
        if file is None
        else file
    )


def local_candidates_of(wildcards):
    # An address is read by uproot itself and is no file that Snakemake could look at.
    file = candidates_of(wildcards)
    return [] if is_remote(file) else file


def background_tables():
    return [
        path for name in CONFIG.of_kind("background") for path in feature_tables(name)
    ]


def signal_tables():
    return [path for name in CONFIG.of_kind("signal") for path in feature_tables(name)]


def signal_arguments():
    # NAME=FILE,FILE: which tables belong to which grid point.
    return [
        f"{name}={','.join(feature_tables(name))}" for name in CONFIG.of_kind("signal")
    ]


def signal_points():
    return json.dumps(
        {name: SAMPLES[name].grid_point() for name in CONFIG.of_kind("signal")}
    )


def models_of(method):
    return [f"results/jets/models/{method}/{group}/model.pt" for group in GROUPS]


def scores_of(method):
    # An ensemble has no seeds of its own.
    if method in CONFIG.ensembles():
        return [f"results/jets/scores/{method}.h5"]
    return [f"results/jets/scores/{method}/{group}.h5" for group in GROUPS]


onstart:
    if Path("results").is_dir() and not os.access("results", os.W_OK):
        raise WorkflowError(
            f"{Path('results').resolve()} cannot be written (a read-only file system, or not yours)."
            " Make it writable, or run in another folder (--directory); nothing has been changed."
        )
    try:
        if workflow.executor_plugin.name == "slurm":
            check_slurm(
                workflow.executor_settings.status_command or "squeue",
                account="slurm_account"
                in str(workflow.resource_settings.default_resources.args),
            )
        check_start(*RUN, CONFIG.on_other_results)
    except OddjetError as error:
        raise WorkflowError(str(error)) from None
