# Seconds of work: on a cluster too they run where Snakemake runs.
localrules:
    tabulate_matrix,
    plot_matrix,


# Every method of every analysis, by what it was trained on, against each background (docs/backgrounds.md).
rule tabulate_matrix:
    input:
        PLAN.matrix_tables(),
    output:
        table="results/matrix/matrix.csv",
        summary="results/matrix/matrix.md",
    log:
        "results/logs/tabulate_matrix.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        trainings=lambda wildcards: json.dumps(PLAN.trainings()),
        code=code_digest("tabulate_matrix"),
    message:
        "AUC by training, background and signal"
    shell:
        'python "$ODDJET"/workflow/scripts/tabulate_matrix.py --auc {input:q} --trainings {params.trainings:q}'
        " --table {output.table:q} --summary {output.summary:q} > {log:q} 2>&1"


rule plot_matrix:
    input:
        "results/matrix/matrix.csv",
    output:
        [
            reported(
                f"results/matrix/matrix.{suffix}",
                "matrix",
                "matrix",
                "AUC by training and background",
            )
            for suffix in FIGURES
        ],
    log:
        "results/logs/plot_matrix.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        samples=lambda wildcards: json.dumps(titles_of(SAMPLES)),
        heatmap=lambda wildcards: CONFIG.heatmap.model_dump_json(),
        label=label,
        code=code_digest("plot_matrix"),
    message:
        "Figure of the AUC by training and background"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_matrix.py --table {input:q} --sample-titles {params.samples:q}'
        " --heatmap {params.heatmap:q} --label {params.label:q} --output {output:q} > {log:q} 2>&1"
