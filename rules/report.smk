# The page that shows everything of a run. Seconds of work: on a cluster too it runs where Snakemake runs.
localrules:
    write_report,


rule write_report:
    input:
        scores=lambda wildcards: PLAN.report_scores(),
        figures=lambda wildcards: PLAN.report_figures(),
        tables=lambda wildcards: PLAN.report_tables(),
        matrix=lambda wildcards: PLAN.report_matrix(),
    output:
        "results/report.html",
    log:
        "results/logs/write_report.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 10),
    params:
        results=lambda wildcards, output: str(Path(output[0]).parent),
        analyses=lambda wildcards: json.dumps(PLAN.report_settings()),
        code=code_digest("write_report"),
    message:
        "The report of the run"
    shell:
        'python "$ODDJET"/workflow/scripts/write_report.py --analyses {params.analyses:q} --results {params.results:q}'
        " --scores {input.scores:q} --figures {input.figures:q} --matrix {input.matrix:q} --output {output:q} > {log:q} 2>&1"
