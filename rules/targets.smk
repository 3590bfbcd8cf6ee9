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


rule bundle:
    input:
        bundles,


rule hepdata:
    input:
        some(
            PUBLISHED.submissions(),
            "hepdata: no signal lies on axes, over which a submission would go; give the signals a point",
        ),


rule limits:
    input:
        limits_of,


rule flatness:
    input:
        PUBLISHED.flatness(),


rule abcd:
    input:
        some(
            PUBLISHED.abcd(),
            "abcd: an estimate takes two scores, and no analysis has two methods; give another one",
        ),


rule variations:
    input:
        some(
            PLAN.all_variations(PLAN.shown()),
            "variations: nothing varies; give features.corrections an uncertainty, or a weight its up and down",
        ),


rule contamination:
    input:
        "results/jets/contamination.md",
        "results/jets/figures/contamination.pdf",


rule matrix:
    input:
        MATRIX,
        [f"results/{name}/leaderboard.md" for name in PLAN.shown()],


rule experiments:
    input:
        some(
            PLAN.experiments(),
            "experiments: no analysis has a method that is trained on columns; name one under methods",
        ),


rule images:
    input:
        IMAGES.results(),


rule events:
    input:
        EVENTS.results(),
