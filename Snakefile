# oddjet: from CMS-style ROOT files to anomaly-detection AUC heatmaps.
#   snakemake --cores all                                    the default run, config/config.yaml
#   snakemake --cores all --configfile config/test/tiny.yaml another configuration; it replaces the default one
from snakemake.utils import min_version

min_version("9.14")


# A configuration given on the command line stands alone: merged into the default one, it would keep that one's samples.
# As a module this workflow has the configuration that the module statement gives it.
if not workflow.modifier.is_main_snakefile() or not workflow.overwrite_configfiles:

    configfile: f"{workflow.current_basedir}/config/config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/samples.smk"
include: "rules/tables.smk"
include: "rules/dataset.smk"
include: "rules/train.smk"
include: "rules/score.smk"
include: "rules/variations.smk"
include: "rules/bundle.smk"
include: "rules/statistics.smk"
include: "rules/evaluate.smk"
include: "rules/figures.smk"
include: "rules/matrix.smk"
include: "rules/report.smk"
include: "rules/paper.smk"
include: "rules/images.smk"
include: "rules/vae.smk"
include: "rules/image_methods.smk"
include: "rules/events.smk"
include: "rules/event_scores.smk"
include: "rules/targets.smk"


# Here and not among the other targets: Snakemake takes no default target from a file that is included.
rule all:
    default_target: True
    input:
        PLAN.run(),
