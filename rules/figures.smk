# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    plot_leaderboard,
    plot_contamination,


rule plot_heatmap:
    input:
        "results/{analysis}/auc/{method}.csv",
    output:
        multiext(
            "results/{analysis}/figures/auc_heatmap_{method}", pdf=".pdf", png=".png"
        ),
    log:
        "results/logs/plot_heatmap/{analysis}/{method}.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        code=code_digest("plot_heatmap"),
    message:
        "Heatmap of {wildcards.method} of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_heatmap.py --auc {input:q}'
        " --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"


rule plot_training:
    input:
        history=lambda wildcards: PLAN.models(*wildcards, "history.csv"),
        auc=lambda wildcards: PLAN.models(*wildcards, "auc_by_epoch.csv"),
        scores=lambda wildcards: PLAN.scores(*wildcards),
    output:
        multiext("results/{analysis}/figures/training_{method}", pdf=".pdf", png=".png"),
    log:
        "results/logs/plot_training/{analysis}/{method}.log",
    wildcard_constraints:
        method=any_of(trained(PLAN.methods)),
    conda:
        "../envs/figures.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        code=code_digest("plot_training"),
    message:
        "Training of {wildcards.method} of {wildcards.analysis} by epoch"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_training.py --history {input.history:q} --auc-by-epoch {input.auc:q}'
        " --scores {input.scores:q}"
        " --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"


rule plot_leaderboard:
    input:
        leaderboard="results/{analysis}/leaderboard.csv",
        grid="results/{analysis}/grid_means.csv",
        merit="results/{analysis}/merit.csv",
        ceilings=lambda wildcards: f"results/{board_analysis(wildcards.analysis)}/ceilings.csv",
    output:
        multiext("results/{analysis}/figures/leaderboard", pdf=".pdf", png=".png"),
    log:
        "results/logs/plot_leaderboard/{analysis}.log",
    wildcard_constraints:
        analysis=BOARD,
    conda:
        "../envs/figures.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        code=code_digest("plot_leaderboard"),
    message:
        "All methods of {wildcards.analysis} by their mean AUC"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_leaderboard.py --leaderboard {input.leaderboard:q} --grid {input.grid:q}'
        " --merit {input.merit:q} --ceilings {input.ceilings:q}"
        " --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"


rule plot_contamination:
    input:
        "results/jets/contamination.csv",
    output:
        multiext("results/jets/figures/contamination", pdf=".pdf", png=".png"),
    log:
        "results/logs/plot_contamination.log",
    conda:
        "../envs/figures.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        code=code_digest("plot_contamination"),
    message:
        "Figure of the contamination scan"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_contamination.py --table {input:q}'
        " --label {params.label:q} --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"
