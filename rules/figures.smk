rule plot_heatmap:
    input:
        "results/jets/auc/{method}.csv",
    output:
        pdf="results/jets/figures/auc_heatmap_{method}.pdf",
        png="results/jets/figures/auc_heatmap_{method}.png",
    log:
        "results/logs/plot_heatmap/{method}.log",
    benchmark:
        "results/benchmarks/plot_heatmap/{method}.tsv"
    conda:
        "../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        # A function: braces in a plain string would be taken for wildcards.
        label=lambda wildcards: CONFIG.label,
        code=code_digest("plot_heatmap"),
    message:
        "Heatmap of {wildcards.method}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_heatmap.py --auc {input:q} --label {params.label:q} --output-pdf {output.pdf:q}'
        " --output-png {output.png:q} > {log:q} 2>&1"


rule plot_training:
    input:
        history=expand(
            "results/jets/models/{{method}}/{group}/history.csv", group=GROUPS
        ),
        auc=expand(
            "results/jets/models/{{method}}/{group}/auc_by_epoch.csv", group=GROUPS
        ),
        scores=expand("results/jets/scores/{{method}}/{group}.h5", group=GROUPS),
    output:
        pdf="results/jets/figures/training_{method}.pdf",
        png="results/jets/figures/training_{method}.png",
    log:
        "results/logs/plot_training/{method}.log",
    benchmark:
        "results/benchmarks/plot_training/{method}.tsv"
    conda:
        "../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        label=lambda wildcards: CONFIG.label,
        code=code_digest("plot_training"),
    message:
        "Training of {wildcards.method} by epoch"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_training.py --history {input.history:q} --auc-by-epoch {input.auc:q}'
        " --scores {input.scores:q} --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"


rule plot_leaderboard:
    input:
        leaderboard="results/jets/leaderboard.csv",
        grid="results/jets/grid_means.csv",
        merit="results/jets/merit.csv",
        ceilings="results/jets/ceilings.csv",
    output:
        pdf="results/jets/figures/leaderboard.pdf",
        png="results/jets/figures/leaderboard.png",
    log:
        "results/logs/plot_leaderboard.log",
    benchmark:
        "results/benchmarks/plot_leaderboard.tsv"
    conda:
        "../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        label=lambda wildcards: CONFIG.label,
        code=code_digest("plot_leaderboard"),
    message:
        "All methods by their mean AUC"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_leaderboard.py --leaderboard {input.leaderboard:q} --grid {input.grid:q} --merit {input.merit:q}'
        " --ceilings {input.ceilings:q} --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"
