# The page that shows everything of an analysis. Seconds of work: on a cluster too it runs where Snakemake runs.
localrules:
    write_report,


rule write_report:
    input:
        scores=lambda wildcards: PLAN.board_scores(wildcards.analysis),
        figures=lambda wildcards: PLAN.report_figures(wildcards.analysis),
        tables=lambda wildcards: PLAN.report_tables(wildcards.analysis),
    output:
        "results/{analysis}/report.html",
    log:
        "results/logs/write_report/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 10),
    params:
        folder=lambda wildcards: f"results/{wildcards.analysis}",
        trained=lambda wildcards: list(trained(ANALYSES[wildcards.analysis].methods)),
        titles=titles,
        heatmap=heatmap,
        code=code_digest("write_report"),
    message:
        "The report of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/write_report.py --titles {params.titles:q} --heatmap {params.heatmap:q} --analysis {wildcards.analysis:q} --folder {params.folder:q}'
        " --trained {params.trained:q} --scores {input.scores:q} --figures {input.figures:q}"
        " --output {output:q} > {log:q} 2>&1"
