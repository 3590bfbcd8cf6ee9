# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    summarize,
    summarize_merit,
    write_leaderboard,
    summarize_contamination,
    compare_experiments,


# One analysis, or `jets` with the methods that score its jets by their images.
BOARD = any_of([*ANALYSES, WITH_IMAGES])


rule compute_auc:
    input:
        lambda wildcards: PLAN.scores(*wildcards),
    output:
        "results/{analysis}/auc/{method}.csv",
    log:
        "results/logs/compute_auc/{analysis}/{method}.log",
    benchmark:
        "results/benchmarks/compute_auc/{analysis}/{method}.tsv"
    conda:
        "../envs/dataset.yaml"
    resources:
        **grown(2000, 60),
    params:
        code=code_digest("compute_auc"),
    message:
        "AUC of {wildcards.method} of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/compute_auc.py --scores {input:q} --output {output:q} > {log:q} 2>&1'


rule summarize:
    input:
        auc=lambda wildcards: PLAN.board_tables(wildcards.analysis, "auc"),
        scores=lambda wildcards: PLAN.board_scores(wildcards.analysis),
    output:
        leaderboard="results/{analysis}/leaderboard.csv",
        grid="results/{analysis}/grid_means.csv",
        summary="results/{analysis}/summary.md",
    log:
        "results/logs/summarize/{analysis}.log",
    wildcard_constraints:
        analysis=BOARD,
    conda:
        "../envs/dataset.yaml"
    resources:
        **grown(1000, 10),
    params:
        settings=CONFIG.merit.model_dump_json(),
        approximate=lambda wildcards: PLAN.approximate(wildcards.analysis),
        baselines=lambda wildcards: baselines(
            ANALYSES[board_analysis(wildcards.analysis)].methods
        ),
        code=code_digest("summarize"),
    message:
        "One table over all methods of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize.py --settings {params.settings:q} --auc {input.auc:q} --scores {input.scores:q}'
        " --baselines {params.baselines:q} --leaderboard {output.leaderboard:q} --grid {output.grid:q}"
        " --approximate {params.approximate:q} --summary {output.summary:q} > {log:q} 2>&1"


rule compute_merit:
    input:
        lambda wildcards: PLAN.scores(*wildcards),
    output:
        "results/{analysis}/merit/{method}.csv",
    log:
        "results/logs/compute_merit/{analysis}/{method}.log",
    benchmark:
        "results/benchmarks/compute_merit/{analysis}/{method}.tsv"
    conda:
        "../envs/dataset.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=CONFIG.merit.model_dump_json(),
        code=code_digest("compute_merit"),
    message:
        "Figures of merit of {wildcards.method} of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/compute_merit.py --settings {params.settings:q} --scores {input:q}'
        " --output {output:q} > {log:q} 2>&1"


rule summarize_merit:
    input:
        lambda wildcards: PLAN.board_tables(wildcards.analysis, "merit"),
    output:
        table="results/{analysis}/merit.csv",
        summary="results/{analysis}/merit.md",
    log:
        "results/logs/summarize_merit/{analysis}.log",
    wildcard_constraints:
        analysis=BOARD,
    conda:
        "../envs/dataset.yaml"
    resources:
        **grown(1000, 10),
    params:
        approximate=lambda wildcards: PLAN.approximate(wildcards.analysis),
        code=code_digest("summarize_merit"),
    message:
        "Figures of merit of all methods of {wildcards.analysis} side by side"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize_merit.py --merit {input:q} --table {output.table:q}'
        " --approximate {params.approximate:q} --summary {output.summary:q} > {log:q} 2>&1"


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


rule write_leaderboard:
    input:
        leaderboard="results/{analysis}/leaderboard.csv",
        grid="results/{analysis}/grid_means.csv",
        merit="results/{analysis}/merit.csv",
        ceilings=lambda wildcards: f"results/{board_analysis(wildcards.analysis)}/ceilings.csv",
    output:
        "results/{analysis}/leaderboard.md",
    log:
        "results/logs/write_leaderboard/{analysis}.log",
    wildcard_constraints:
        analysis=BOARD,
    conda:
        "../envs/dataset.yaml"
    resources:
        **grown(1000, 10),
    params:
        approximate=lambda wildcards: PLAN.approximate(wildcards.analysis),
        code=code_digest("write_leaderboard"),
    message:
        "The leaderboard of {wildcards.analysis} to read"
    shell:
        'python "$ODDJET"/workflow/scripts/write_leaderboard.py --leaderboard {input.leaderboard:q} --grid {input.grid:q} --merit {input.merit:q}'
        " --ceilings {input.ceilings:q} --approximate {params.approximate:q} --output {output:q} > {log:q} 2>&1"


rule summarize_contamination:
    input:
        contaminated_auc,
    output:
        table="results/jets/contamination.csv",
        summary="results/jets/contamination.md",
    log:
        "results/logs/summarize_contamination.log",
    conda:
        "../envs/dataset.yaml"
    resources:
        **grown(1000, 10),
    params:
        auc=[f"{share}={path}" for path, share in PLAN.contaminated_auc().items()],
        code=code_digest("summarize_contamination"),
    message:
        "AUC by share of signal in the training"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize_contamination.py --auc {params.auc:q} --table {output.table:q}'
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
        code=lambda wildcards: code_digest(
            "compare_experiments",
            *loaded_modules(
                PLAN.methods, with_models(ANALYSES[wildcards.analysis].methods)
            ),
        ),
    message:
        "Compare all methods of {wildcards.analysis} by what chose them and by AUC"
    shell:
        'python "$ODDJET"/workflow/scripts/compare_experiments.py --results {params.folder:q} --methods {params.methods:q}'
        " --groups {params.groups:q} --approximate {params.approximate:q} --table {output.table:q}"
        " --summary {output.summary:q} > {log:q} 2>&1"
