rule score_samples:
    input:
        model="results/jets/models/{method}/{group}/model.pt",
        background="results/jets/dataset/test.h5",
        signals=signal_tables(),
        # Nothing is reported of samples that lost events.
        cutflow="results/jets/cutflow.json",
    output:
        "results/jets/scores/{method}/{group}.h5",
    log:
        "results/logs/score_samples/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score_samples/{method}/{group}.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(120),
    params:
        settings=CONFIG.evaluation.model_dump_json(),
        signals=signal_arguments(),
        points=signal_points(),
        cross_sections=json.dumps(CONFIG.cross_sections("signal")),
        code=code_digest("score_samples"),
    message:
        "Score test background and signals with {wildcards.method}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/score_samples.py --settings {params.settings:q} --model {input.model:q}'
        " --background {input.background:q} --signals {params.signals:q} --points {params.points:q}"
        " --cross-sections {params.cross_sections:q} --output {output:q} > {log:q} 2>&1"


# Trains nothing, and sees signal in the score tables alone: means and deviations are those of the validation background.
rule score_ensemble:
    input:
        models=lambda wildcards: [
            path
            for member in CONFIG.ensembles()[wildcards.method]
            for path in models_of(member)
        ],
        scores=lambda wildcards: [
            path
            for member in CONFIG.ensembles()[wildcards.method]
            for path in scores_of(member)
        ],
        background="results/jets/dataset/validation.h5",
    output:
        "results/jets/scores/{method}.h5",
    log:
        "results/logs/score_ensemble/{method}.log",
    benchmark:
        "results/benchmarks/score_ensemble/{method}.tsv"
    wildcard_constraints:
        method=any_of(CONFIG.ensembles()),
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(60),
    params:
        settings=lambda wildcards: CONFIG.methods[wildcards.method].model_dump_json(),
        code=code_digest("score_ensemble"),
    message:
        "Average the scores of the members of {wildcards.method}"
    shell:
        'python "$ODDJET"/workflow/scripts/score_ensemble.py --settings {params.settings:q} --method {wildcards.method:q}'
        " --models {input.models:q} --scores {input.scores:q} --background {input.background:q}"
        " --output {output:q} > {log:q} 2>&1"


rule compute_auc:
    input:
        lambda wildcards: scores_of(wildcards.method),
    output:
        "results/jets/auc/{method}.csv",
    log:
        "results/logs/compute_auc/{method}.log",
    benchmark:
        "results/benchmarks/compute_auc/{method}.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        code=code_digest("compute_auc"),
    message:
        "AUC of {wildcards.method}"
    shell:
        'python "$ODDJET"/workflow/scripts/compute_auc.py --scores {input:q} --output {output:q} > {log:q} 2>&1'


# Two seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    summarize,
    summarize_merit,
    write_leaderboard,
    plot_leaderboard,


rule summarize:
    input:
        auc=expand("results/jets/auc/{method}.csv", method=CONFIG.methods),
        scores=[path for method in CONFIG.methods for path in scores_of(method)],
    output:
        leaderboard="results/jets/leaderboard.csv",
        grid="results/jets/grid_means.csv",
        summary="results/jets/summary.md",
    log:
        "results/logs/summarize.log",
    benchmark:
        "results/benchmarks/summarize.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        settings=CONFIG.merit.model_dump_json(),
        approximate=CONFIG.approximate(),
        baselines=CONFIG.baselines(),
        code=code_digest("summarize"),
    message:
        "One table over all methods"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize.py --settings {params.settings:q} --auc {input.auc:q} --scores {input.scores:q}'
        " --baselines {params.baselines:q} --leaderboard {output.leaderboard:q} --grid {output.grid:q}"
        " --approximate {params.approximate:q} --summary {output.summary:q} > {log:q} 2>&1"


rule compute_merit:
    input:
        lambda wildcards: scores_of(wildcards.method),
    output:
        "results/jets/merit/{method}.csv",
    log:
        "results/logs/compute_merit/{method}.log",
    benchmark:
        "results/benchmarks/compute_merit/{method}.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        settings=CONFIG.merit.model_dump_json(),
        code=code_digest("compute_merit"),
    message:
        "Figures of merit of {wildcards.method}"
    shell:
        'python "$ODDJET"/workflow/scripts/compute_merit.py --settings {params.settings:q} --scores {input:q}'
        " --output {output:q} > {log:q} 2>&1"


rule summarize_merit:
    input:
        expand("results/jets/merit/{method}.csv", method=CONFIG.methods),
    output:
        table="results/jets/merit.csv",
        summary="results/jets/merit.md",
    log:
        "results/logs/summarize_merit.log",
    benchmark:
        "results/benchmarks/summarize_merit.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        approximate=CONFIG.approximate(),
        code=code_digest("summarize_merit"),
    message:
        "Figures of merit of all methods side by side"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize_merit.py --merit {input:q} --table {output.table:q}'
        " --approximate {params.approximate:q} --summary {output.summary:q} > {log:q} 2>&1"


# Trained on signal, and so no method: nothing but the leaderboard reads this, and no choice rests on it.
rule train_ceilings:
    input:
        train="results/jets/dataset/train.h5",
        test="results/jets/dataset/test.h5",
        scaler="results/jets/dataset/scaler.json",
        signals=signal_tables(),
        cutflow="results/jets/cutflow.json",
    output:
        table="results/jets/ceilings.csv",
        summary="results/jets/ceilings.md",
    log:
        "results/logs/train_ceilings.log",
    benchmark:
        "results/benchmarks/train_ceilings.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(120),
    params:
        signals=signal_arguments(),
        points=signal_points(),
        seeds=CONFIG.ensemble.seeds,
        code=code_digest("train_ceilings"),
    message:
        "Supervised trees: what labelled signal would bring on the same features"
    shell:
        'python "$ODDJET"/workflow/scripts/train_ceilings.py --train {input.train:q} --test {input.test:q} --scaler {input.scaler:q}'
        " --signals {params.signals:q} --points {params.points:q} --seeds {params.seeds} --table {output.table:q}"
        " --summary {output.summary:q} > {log:q} 2>&1"


rule write_leaderboard:
    input:
        leaderboard="results/jets/leaderboard.csv",
        grid="results/jets/grid_means.csv",
        merit="results/jets/merit.csv",
        ceilings="results/jets/ceilings.csv",
    output:
        "results/jets/leaderboard.md",
    log:
        "results/logs/write_leaderboard.log",
    benchmark:
        "results/benchmarks/write_leaderboard.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        approximate=CONFIG.approximate(),
        code=code_digest("write_leaderboard"),
    message:
        "The leaderboard to read"
    shell:
        'python "$ODDJET"/workflow/scripts/write_leaderboard.py --leaderboard {input.leaderboard:q} --grid {input.grid:q} --merit {input.merit:q}'
        " --ceilings {input.ceilings:q} --approximate {params.approximate:q} --output {output:q} > {log:q} 2>&1"
