# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    summarize,
    summarize_contamination,
    compare_experiments,


rule evaluate:
    input:
        lambda wildcards: PLAN.scores(*wildcards),
    output:
        auc="results/{analysis}/auc/{method}.csv",
        merit="results/{analysis}/merit/{method}.csv",
    log:
        "results/logs/evaluate/{analysis}/{method}.log",
    benchmark:
        "results/benchmarks/evaluate/{analysis}/{method}.tsv"
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=CONFIG.merit.model_dump_json(),
        code=code_digest("evaluate"),
    message:
        "AUC and figures of merit of {wildcards.method} of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/evaluate.py --settings {params.settings:q} --scores {input:q}'
        " --auc {output.auc:q} --merit {output.merit:q} > {log:q} 2>&1"


# All methods side by side, in tables and to read.
rule summarize:
    input:
        auc=lambda wildcards: PLAN.method_tables(wildcards.analysis, "auc"),
        merit=lambda wildcards: PLAN.method_tables(wildcards.analysis, "merit"),
        scores=lambda wildcards: PLAN.all_scores(wildcards.analysis),
        ceilings="results/{analysis}/ceilings.csv",
    output:
        [f"results/{{analysis}}/{name}" for name in BOARD_TABLES],
    log:
        "results/logs/summarize/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        settings=CONFIG.merit.model_dump_json(),
        approximate=lambda wildcards: PLAN.approximate(wildcards.analysis),
        baselines=lambda wildcards: baselines(ANALYSES[wildcards.analysis].methods),
        titles=titles,
        heatmap=heatmap,
        folder=lambda wildcards: f"results/{wildcards.analysis}",
        code=code_digest("summarize"),
    message:
        "Tables over all methods of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize.py --titles {params.titles:q} --heatmap {params.heatmap:q} --settings {params.settings:q}'
        " --auc {input.auc:q} --merit {input.merit:q} --scores {input.scores:q} --ceilings {input.ceilings:q}"
        " --baselines {params.baselines:q} --approximate {params.approximate:q} --folder {params.folder:q} > {log:q} 2>&1"


# Trained on signal, and so no method: nothing but the leaderboard reads this, and no choice rests on it.
rule train_ceilings:
    input:
        train=split("train"),
        test=split("test"),
        scaler=scaler,
        signals=signal_tables,
        cutflow=cutflow,
    output:
        table="results/{analysis}/ceilings.csv",
        summary="results/{analysis}/ceilings.md",
    log:
        "results/logs/train_ceilings/{analysis}.log",
    benchmark:
        "results/benchmarks/train_ceilings/{analysis}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **grown(2000, 120),
    params:
        signals=signal_arguments,
        points=points,
        seeds=lambda wildcards: ANALYSES[wildcards.analysis].seeds,
        code=code_digest("train_ceilings"),
    message:
        "Supervised trees: what labelled signal would bring on the same features of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/train_ceilings.py --train {input.train:q} --test {input.test:q} --scaler {input.scaler:q}'
        " --signals {params.signals:q} --points {params.points:q} --seeds {params.seeds} --table {output.table:q}"
        " --summary {output.summary:q} > {log:q} 2>&1"


rule summarize_contamination:
    input:
        contaminated_auc,
    output:
        table="results/jets/contamination.csv",
        summary="results/jets/contamination.md",
    log:
        "results/logs/summarize_contamination.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        auc=[f"{share}={path}" for path, share in PLAN.contaminated_auc().items()],
        titles=titles,
        code=code_digest("summarize_contamination"),
    message:
        "AUC by share of signal in the training"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize_contamination.py --titles {params.titles:q} --auc {params.auc:q} --table {output.table:q}'
        " --summary {output.summary:q} > {log:q} 2>&1"


rule measure_fit:
    input:
        model="results/{analysis}/models/{method}/{group}/model.pt",
        background=split("validation"),
        scaler=scaler,
    output:
        "results/{analysis}/models/{method}/{group}/fit.csv",
    log:
        "results/logs/measure_fit/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/measure_fit/{analysis}/{method}/{group}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 60),
    params:
        code=lambda wildcards: code_digest(
            "measure_fit", *loaded_modules(PLAN.methods, [wildcards.method])
        ),
    message:
        "Fit of the background by {wildcards.method} of {wildcards.analysis}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/measure_fit.py --model {input.model:q} --background {input.background:q}'
        " --scaler {input.scaler:q} --output {output:q} > {log:q} 2>&1"


# All methods of an analysis side by side, with what was chosen by background alone (docs/experiments.md).
rule compare_experiments:
    input:
        lambda wildcards: PLAN.compared(wildcards.analysis),
    output:
        table="results/{analysis}/experiments.csv",
        summary="results/{analysis}/experiments.md",
    log:
        "results/logs/compare_experiments/{analysis}.log",
    conda:
        "../envs/train.yaml"
    resources:
        **grown(1000, 10),
    params:
        folder=lambda wildcards: f"results/{wildcards.analysis}",
        methods=lambda wildcards: with_models(ANALYSES[wildcards.analysis].methods),
        groups=lambda wildcards: list(ANALYSES[wildcards.analysis].groups()),
        approximate=lambda wildcards: PLAN.approximate(wildcards.analysis),
        titles=titles,
        code=lambda wildcards: code_digest(
            "compare_experiments",
            *loaded_modules(
                PLAN.methods, with_models(ANALYSES[wildcards.analysis].methods)
            ),
        ),
    message:
        "Compare all methods of {wildcards.analysis} by what chose them and by AUC"
    shell:
        'python "$ODDJET"/workflow/scripts/compare_experiments.py --titles {params.titles:q} --results {params.folder:q} --methods {params.methods:q}'
        " --groups {params.groups:q} --approximate {params.approximate:q} --table {output.table:q}"
        " --summary {output.summary:q} > {log:q} 2>&1"
