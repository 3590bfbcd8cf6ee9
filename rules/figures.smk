# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    plot_comparison,
    plot_features,
    plot_contamination,


# The figures of all methods of an analysis in one job: starting a program takes as long as drawing one of them. Which
# files these are only the plan knows, so each analysis has a rule of its own.
for name in PLAN.shown():

    rule:
        name:
            f"plot_methods_{name}"
        input:
            **PLAN.drawn_tables(name),
        output:
            [
                reported(
                    path, kind, name, FIGURE_TITLES[kind], PLAN.titles(name)[method]
                )
                for path, (kind, method) in PLAN.method_figure_files(name).items()
            ],
        log:
            f"results/logs/plot_methods/{name}.log",
        localrule: True
        conda:
            "../envs/jets.yaml"
        resources:
            **grown(2000, 10),
        params:
            label=label,
            titles=lambda wildcards, name=name: json.dumps(PLAN.titles(name)),
            samples=lambda wildcards, name=name: json.dumps(PLAN.sample_titles(name)),
            heatmap=PLAN.heatmap(name),
            selection=lambda wildcards, name=name: PLAN.selection(name),
            means=list(ensembles(PLAN.methods)),
            code=code_digest("plot_methods"),
        message:
            f"Figures of each method of {name}"
        shell:
            'python "$ODDJET"/workflow/scripts/plot_methods.py --titles {params.titles:q} --sample-titles {params.samples:q} --heatmap {params.heatmap:q}'
            " --auc {input.auc:q}"
            " --scores {input.scores:q} --history {input.history:q} --auc-by-epoch {input.auc_by_epoch:q}"
            " --means {params.means:q} --selection {params.selection:q} --label {params.label:q} --output {output:q} > {log:q} 2>&1"


rule plot_comparison:
    input:
        scores=lambda wildcards: PLAN.all_scores(wildcards.analysis),
        leaderboard="results/{analysis}/leaderboard.csv",
        grid="results/{analysis}/grid_means.csv",
        merit="results/{analysis}/merit.csv",
        ceilings="results/{analysis}/ceilings.csv",
    output:
        [
            reported(
                f"results/{{analysis}}/figures/{name}.{suffix}",
                name,
                "{analysis}",
                FIGURE_TITLES[name],
            )
            for name in COMPARISONS
            for suffix in FIGURES
        ],
    log:
        "results/logs/plot_comparison/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 10),
    params:
        label=label,
        titles=titles,
        samples=sample_titles,
        heatmap=heatmap,
        code=code_digest("plot_comparison"),
    message:
        "All methods of {wildcards.analysis} side by side"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_comparison.py --titles {params.titles:q} --sample-titles {params.samples:q} --heatmap {params.heatmap:q}'
        " --scores {input.scores:q}"
        " --leaderboard {input.leaderboard:q} --grid {input.grid:q} --merit {input.merit:q} --ceilings {input.ceilings:q}"
        " --label {params.label:q} --output {output:q} > {log:q} 2>&1"


rule plot_features:
    input:
        background=split("test"),
        signals=signal_tables,
        data=data_tables,
    output:
        pdf="results/{analysis}/figures/features.pdf",
        png=reported(
            "results/{analysis}/figures/features.png",
            "features",
            "{analysis}",
            "features",
            "background and signals",
        ),
    log:
        "results/logs/plot_features/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 10),
    params:
        label=label,
        columns=lambda wildcards: PLAN.figure_columns(wildcards.analysis),
        signals=signal_arguments,
        data=data_arguments,
        points=points,
        samples=sample_titles,
        heatmap=heatmap,
        code=code_digest("plot_features"),
    message:
        "Features of background and signals of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_features.py --background {input.background:q} --columns {params.columns:q}'
        " --signals {params.signals:q} --data {params.data:q} --points {params.points:q}"
        " --sample-titles {params.samples:q} --heatmap {params.heatmap:q} --label {params.label:q} --output {output:q} > {log:q} 2>&1"


rule plot_contamination:
    input:
        "results/jets/contamination.csv",
    output:
        pdf="results/jets/figures/contamination.pdf",
        png=reported(
            "results/jets/figures/contamination.png",
            "contamination",
            "jets",
            "signal among the training jets",
        ),
    log:
        "results/logs/plot_contamination.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        titles=titles,
        code=code_digest("plot_contamination"),
    message:
        "Figure of the contamination scan"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_contamination.py --titles {params.titles:q} --table {input:q}'
        " --label {params.label:q} --output {output:q} > {log:q} 2>&1"
