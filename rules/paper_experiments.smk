# All methods of a config side by side, with what was chosen by background alone: `snakemake experiments` makes the table of
# docs/experiments.md from config/experiments.yaml.
localrules:
    compare_experiments,


rule experiments:
    input:
        "results/jets/experiments.md",


rule measure_fit:
    input:
        model="results/jets/models/{method}/{group}/model.pt",
        background="results/jets/dataset/validation.h5",
        scaler="results/jets/dataset/scaler.json",
    output:
        "results/jets/models/{method}/{group}/fit.csv",
    log:
        "results/logs/measure_fit/{method}/{group}.log",
    benchmark:
        "results/benchmarks/measure_fit/{method}/{group}.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(60),
    params:
        code=code_digest("measure_fit"),
    message:
        "Fit of the background by {wildcards.method}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/measure_fit.py --model {input.model:q} --background {input.background:q}'
        " --scaler {input.scaler:q} --output {output:q} > {log:q} 2>&1"


rule compare_experiments:
    input:
        auc=expand("results/jets/auc/{method}.csv", method=CONFIG.with_models()),
        scores=[path for method in CONFIG.with_models() for path in scores_of(method)],
        models=expand(
            "results/jets/models/{method}/{group}/model.pt",
            method=CONFIG.with_models(),
            group=GROUPS,
        ),
        background="results/jets/dataset/validation.h5",
        fits=expand(
            "results/jets/models/{method}/{group}/fit.csv",
            method=CONFIG.with_models(),
            group=GROUPS,
        ),
        epochs=expand(
            "results/jets/models/{method}/{group}/auc_by_epoch.csv",
            method=CONFIG.trained(),
            group=GROUPS,
        ),
    output:
        table="results/jets/experiments.csv",
        summary="results/jets/experiments.md",
    log:
        "results/logs/compare_experiments.log",
    benchmark:
        "results/benchmarks/compare_experiments.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        methods=CONFIG.with_models(),
        groups=list(GROUPS),
        approximate=CONFIG.approximate(),
        code=code_digest("compare_experiments"),
    message:
        "Compare all methods by what chose them and by AUC"
    shell:
        'python "$ODDJET"/workflow/scripts/compare_experiments.py --results results/jets --methods {params.methods:q} --groups {params.groups:q}'
        " --approximate {params.approximate:q} --table {output.table:q} --summary {output.summary:q} > {log:q} 2>&1"
