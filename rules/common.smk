# What every stage's rules use: the checked configuration, the files of a sample, digests, wildcards.
import json
import os
import re
import shlex
import sys
import tempfile
from contextlib import suppress
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
from oddjet.provenance.environment import (
    UNWANTED,
    full_temporary_folder,
    job_environment,
)

FULL = full_temporary_folder(os.environ)
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
os.environ.update(
    job_environment(
        ODDJET, Path.cwd(), os.environ, python=None if CONDA else sys.executable
    )
)
for name in UNWANTED:
    os.environ.pop(name, None)
if FULL is not None:
    tempfile.tempdir = os.environ.get("TMPDIR")
    # A run folder that cannot be written is told below.
    with suppress(OSError):
        Path(tempfile.tempdir).mkdir(parents=True, exist_ok=True)
    if workflow.is_main_process:
        logger.warning(
            f"{FULL}: takes no temporary files (full, missing or not to be written); they are in {tempfile.tempdir}"
        )

from oddjet.addresses import is_remote
from oddjet.analyses import groups_of
from oddjet.batches import STAGES
from oddjet.clusters import check_slurm, set_up_htcondor, without_other_jobs
from oddjet.config import load_config
from oddjet.configfile import read_configuration
from oddjet.detectors.mean import GROUP as MEAN
from oddjet.detectors.registry import kind_named
from oddjet.errors import OddjetError
from oddjet.events.plan import EventPlan, listed_events
from oddjet.images.plan import METRIC, ImagePlan, listed_images
from oddjet.inputs import listed_files
from oddjet.methods import (
    baselines,
    ensembles,
    kind_modules,
    loaded_modules,
    of_columns,
    of_images,
    trained,
    vaes,
    with_models,
)
from oddjet.paper_figures import (
    EPOCHS,
    HEATMAPS,
    HISTOGRAMS,
    MEASURED,
    ONE_SEED,
    SKETCHES,
    PaperFigures,
)
from oddjet.plan import (
    BOARD_TABLES,
    COMPARISONS,
    FIGURES,
    MATRIX,
    Plan,
)
from oddjet.provenance.digest import code_digest
from oddjet.published import Published, exported, quantized
from oddjet.run_record import check_start, file_names, other_configuration
from oddjet.titles import titles_of

set_up_htcondor()

CONFIG_FILES = workflow.overwrite_configfiles or [ODDJET / "config/config.yaml"]


def configuration():
    # Read again, strictly; a module has what the module statement gives it.
    if not workflow.modifier.is_main_snakefile():
        return config
    return read_configuration(CONFIG_FILES, workflow.config_settings.config)


def with_left_out(found):
    # Once: the jobs of a run parse the workflow again.
    for line in sorted({line for sample in found.values() for line in sample.left_out}):
        if workflow.is_main_process:
            logger.warning(f"files: {line}")
    return found


try:
    CONFIG = load_config(configuration())
    PLAN = Plan(CONFIG, with_left_out(listed_files(CONFIG)))
    IMAGES = ImagePlan(
        CONFIG.images,
        CONFIG.features,
        with_left_out(listed_images(CONFIG.images, CONFIG.features)),
    )
    EVENTS = EventPlan(
        CONFIG.events,
        with_left_out(listed_events(CONFIG.events, CONFIG.seed)),
        groups_of(CONFIG.seeds, CONFIG.seeds_per_job),
    )
except OddjetError as error:
    raise WorkflowError(str(error)) from None
if workflow.is_main_process:
    for line in CONFIG.notes():
        logger.warning(line)
SAMPLES = CONFIG.all_samples()
ANALYSES = PLAN.analyses
PAPER = PaperFigures(PLAN)
PUBLISHED = Published(PLAN)

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


# As a module this workflow may have other names for its rules than the command of a job has.
def asked_for(batches, stage):
    return without_other_jobs(
        batches,
        stage,
        sys.argv,
        main_process=workflow.is_main_process
        or not workflow.modifier.is_main_snakefile(),
    )


def any_of(names):
    # An empty list must match nothing; an empty pattern would match the empty name.
    return "|".join(re.escape(str(name)) for name in names) or "(?!)"


def grown(megabytes, minutes):
    # Memory and time of a job: a second attempt, after one that had too little, gets twice as much.
    def memory(wildcards, attempt):
        return attempt * (megabytes(wildcards) if callable(megabytes) else megabytes)

    return {
        "mem_mb": memory,
        # HTCondor's name for it: its plugin takes no other.
        "htcondor_request_mem_mb": memory,
        "runtime": lambda wildcards, attempt: attempt * minutes,
    }


# Those of a sample in the place of the common ones.
def own_corrections(sample):
    own = SAMPLES[sample].corrections
    return [] if own is None else ["--corrections", own.model_dump_json()]


def own_selection(wildcards):
    return SAMPLES[wildcards.sample].own_selection().model_dump_json()


def opened_from(option):
    return lambda wildcards: PLAN.opened_from(
        wildcards.analysis, wildcards.method, wildcards.group
    )[option]


# Where Snakemake looks for a file when this is a module with a prefix.
def placed(path):
    prefix = workflow.modifier.path_modifier.prefix
    outside = is_remote(path) or Path(path).is_absolute()
    return f"{prefix}{path}" if prefix and not outside else path


def split(name):
    return lambda wildcards: PLAN.split(wildcards.analysis, name)


def scaler(wildcards):
    return PLAN.scaler(wildcards.analysis)


def signal_tables(wildcards):
    return PLAN.signal_tables(wildcards.analysis)


def data_tables(wildcards):
    return PLAN.data_tables(wildcards.analysis)


def data_arguments(wildcards):
    return PLAN.data_arguments(wildcards.analysis)


# Nothing is reported of samples that lost events.
def cutflow(wildcards):
    return PLAN.cutflow(wildcards.analysis)


def signal_arguments(wildcards):
    return PLAN.signal_arguments(wildcards.analysis)


def points(wildcards):
    return PLAN.points(wildcards.analysis)


def tested_cross_sections(wildcards):
    return PLAN.tested_cross_sections(wildcards.analysis)


def evaluation(wildcards):
    return ANALYSES[wildcards.analysis].evaluation.model_dump_json()


def method_settings(wildcards):
    return ANALYSES[wildcards.analysis].methods[wildcards.method].model_dump_json()


def seeds(wildcards):
    return PLAN.seeds(wildcards.analysis, wildcards.group)


def mean_option(wildcards):
    return ["--mean"] if wildcards.method in ensembles(PLAN.methods) else []


# Functions: braces in a plain string would be taken for wildcards.
def titles(wildcards):
    return json.dumps(PLAN.titles(getattr(wildcards, "analysis", "jets")))


def sample_titles(wildcards):
    return json.dumps(PLAN.sample_titles(getattr(wildcards, "analysis", "jets")))


def heatmap(wildcards):
    return PLAN.heatmap(getattr(wildcards, "analysis", "jets"))


def event_titles(wildcards):
    return EVENTS.titles()


def label(wildcards):
    return CONFIG.label


def folder_of(name):
    return lambda wildcards, output: str(Path(output[name]).parent)


# What the page of `snakemake --report` calls the figures of an analysis.
FIGURE_TITLES = {
    "auc_heatmap": "AUC over the signal grid",
    "scores": "scores and ROC curves",
    "training": "training by epoch",
    "leaderboard": "leaderboard",
    "roc": "ROC curves",
    "sculpting": "efficiency by mass and pT",
}


# A figure as PNG is shown by `snakemake --report`; a PDF would be a file to download.
def reported(path, caption, category, figure, of="all methods"):
    if not path.endswith(".png"):
        return path
    return report(
        path,
        caption=f"../workflow/report/{caption}.rst",
        category=category,
        labels={"figure": figure, "of": of},
    )


# Snakemake puts a traceback behind every exception of an input function; an end of the process goes through.
def end_with(message):
    logger.error(f"WorkflowError:\n{message}")
    raise SystemExit(1)


# A target of which the configuration asks for nothing would end as if all were made.
def some(paths, otherwise):
    return lambda wildcards: paths or end_with(otherwise)


def contaminated_auc(wildcards):
    if not PLAN.contaminated():
        end_with(
            "contamination.methods: there is none to scan, for it is empty and the configuration has no baseline."
            f" Name some of {', '.join(with_models(CONFIG.methods))}."
        )
    return list(PLAN.contaminated_auc())


def limits_of(wildcards):
    try:
        found = (
            PUBLISHED.limits()
            if not wildcards
            else PUBLISHED.limit_tables(wildcards.analysis)
        )
    except OddjetError as error:
        end_with(str(error))
    return found


# What the target `bundle` makes; the methods that have none are named.
def bundles(wildcards):
    for line in PUBLISHED.without_bundle():
        logger.warning(f"no bundle of {line}")
    return PUBLISHED.bundles()


# What the target `figures` makes; the figures that the configuration lacks something for are named.
def figures_of(wildcards):
    for line in PAPER.left_out():
        logger.warning(line)
    return [path for path in PLAN.run() if path.endswith(".pdf")] + PAPER.results()


wildcard_constraints:
    analysis=any_of(ANALYSES),
    sample=any_of(SAMPLES),
    file=r"[A-Za-z0-9_.-]+",
    method=any_of(PLAN.methods),
    group=any_of(PLAN.groups()),


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
