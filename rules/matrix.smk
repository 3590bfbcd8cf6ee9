# Seconds of work: on a cluster too it runs where Snakemake runs.
localrules:
    tabulate_matrix,


# Every method of every analysis, by what it was trained on, against each background (docs/backgrounds.md).
rule tabulate_matrix:
    input:
        PLAN.matrix_tables(),
    output:
        figure=[
            reported(
                f"results/matrix/matrix.{suffix}",
                "matrix",
                "matrix",
                "AUC by training and background",
            )
            for suffix in FIGURES
        ],
        summary="results/matrix/matrix.md",
    log:
        "results/logs/tabulate_matrix.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        trainings=lambda wildcards: json.dumps(PLAN.trainings()),
        samples=lambda wildcards: json.dumps(titles_of(SAMPLES)),
        label=label,
        code=code_digest("tabulate_matrix"),
    message:
        "AUC by training, background and signal"
    shell:
        'python "$ODDJET"/workflow/scripts/tabulate_matrix.py --auc {input:q} --trainings {params.trainings:q}'
        " --sample-titles {params.samples:q} --label {params.label:q} --output {output.figure:q} --summary {output.summary:q}"
        " > {log:q} 2>&1"
