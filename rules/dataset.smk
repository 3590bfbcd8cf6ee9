# Of a few files it is a second's work: on a cluster too it runs where Snakemake runs.
if all(len(PLAN.background_tables(name)) <= 20 for name in ANALYSES):

    localrules:
        build_dataset,


rule build_dataset:
    input:
        tables=lambda wildcards: PLAN.background_tables(wildcards.analysis),
        # Too few jets of a signal are said before anything is trained. An old check is as good as a new one: another
        # signal makes no other dataset.
        cutflow=ancient("results/{analysis}/cutflow.json"),
    output:
        train="results/{analysis}/dataset/train.h5",
        validation="results/{analysis}/dataset/validation.h5",
        test="results/{analysis}/dataset/test.h5",
        scaler="results/{analysis}/dataset/scaler.json",
    log:
        "results/logs/build_dataset/{analysis}.log",
    benchmark:
        "results/benchmarks/build_dataset/{analysis}.tsv"
    wildcard_constraints:
        analysis=any_of(PLAN.shown()),
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(4000, 60),
    params:
        settings=lambda wildcards: ANALYSES[
            wildcards.analysis
        ].dataset.model_dump_json(),
        cross_sections=lambda wildcards: PLAN.background_cross_sections(
            wildcards.analysis
        ),
        matched=lambda wildcards: (
            ["--of-signal"] if PLAN.trains_on_signal(wildcards.analysis) else []
        ),
        code=code_digest("build_dataset"),
    message:
        "Split the background of {wildcards.analysis} by event and fit the scaling"
    shell:
        'python "$ODDJET"/workflow/scripts/build_dataset.py --settings {params.settings:q} --inputs {input.tables:q}'
        " --train {output.train:q} --validation {output.validation:q} --test {output.test:q} {params.matched:q}"
        " --scaler {output.scaler:q} --cross-sections {params.cross_sections:q} > {log:q} 2>&1"


localrules:
    contaminate_dataset,


# The one place where signal enters a training, and on purpose: what a search loses when its background holds signal. The
# analyses that read these tables have `contaminated` in their names, and no other reads their models.
rule contaminate_dataset:
    input:
        train="results/jets/dataset/train.h5",
        signals=lambda wildcards: PLAN.signal_tables("jets"),
    output:
        mixed=[PLAN.split(name, "train") for name in PLAN.contaminated().values()],
        held_out=PLAN.all_held_out(),
    log:
        "results/logs/contaminate_dataset.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=CONFIG.contamination.model_dump_json(exclude={"methods"}),
        signals=lambda wildcards: PLAN.signal_arguments("jets"),
        mixed=[
            f"{share}={PLAN.split(name, 'train')}"
            for share, name in PLAN.contaminated().items()
        ],
        folder=lambda wildcards, output: str(Path(output.held_out[0]).parent),
        code=code_digest("contaminate_dataset"),
    message:
        "Mix signal into the training jets, for the contamination scan"
    shell:
        'python "$ODDJET"/workflow/scripts/contaminate_dataset.py --settings {params.settings:q} --train {input.train:q}'
        " --signals {params.signals:q} --mixed {params.mixed:q} --held-out-dir {params.folder:q} > {log:q} 2>&1"
