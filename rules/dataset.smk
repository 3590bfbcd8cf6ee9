# Of a few files it is a second's work: on a cluster too it runs where Snakemake runs.
if len(background_tables()) <= 20:

    localrules:
        build_dataset,


rule build_dataset:
    input:
        tables=background_tables(),
        # Too few jets of a signal are said before anything is trained. An old check is as good as a new one: another
        # signal makes no other dataset.
        cutflow=ancient("results/jets/cutflow.json"),
    output:
        train="results/jets/dataset/train.h5",
        validation="results/jets/dataset/validation.h5",
        test="results/jets/dataset/test.h5",
        scaler="results/jets/dataset/scaler.json",
    log:
        "results/logs/build_dataset.log",
    benchmark:
        "results/benchmarks/build_dataset.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=grown(60),
    params:
        settings=CONFIG.dataset.model_dump_json(),
        cross_sections=json.dumps(CONFIG.cross_sections("background")),
        code=code_digest("build_dataset"),
    message:
        "Split the background by event and fit the scaling"
    shell:
        'python "$ODDJET"/workflow/scripts/build_dataset.py --settings {params.settings:q} --inputs {input.tables:q}'
        " --train {output.train:q} --validation {output.validation:q} --test {output.test:q}"
        " --scaler {output.scaler:q} --cross-sections {params.cross_sections:q} > {log:q} 2>&1"
