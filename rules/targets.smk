# What can be asked for by name, beside the default run: `snakemake TARGET --cores all`. oddjet.plan lists what each makes.
rule simulate:
    input:
        [path for name in SAMPLES for path in PLAN.simulated(name)],


rule features:
    input:
        PLAN.tables(*SAMPLES),


rule models:
    input:
        PLAN.all_models(),


rule figures:
    input:
        figures_of,


rule contamination:
    input:
        "results/jets/contamination.md",
        "results/jets/figures/contamination.pdf",


rule experiments:
    input:
        PLAN.experiments(),


rule images:
    input:
        IMAGES.results(),


rule image_scores:
    input:
        PLAN.image_scores(),


rule events:
    input:
        EVENTS.results(),
