# The figures of CMS-MLG-24-002; `snakemake figures` makes those whose method the config names. docs/reproduction.md sets
# them beside what the paper says, oddjet.paper_figures tells which shows what. Figure 13 is of the analysis `reversed`.
# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    select_epochs,
    compare_epochs,
    plot_epochs,
    plot_histograms,
    plot_paper_heatmap,
    plot_sketch,


rule sample_negatives:
    input:
        snapshots="results/{analysis}/models/{method}/{group}/snapshots.pt",
        train=split("train"),
    output:
        "results/{analysis}/negatives/{method}/{group}.h5",
    log:
        "results/logs/sample_negatives/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/sample_negatives/{analysis}/{method}/{group}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 120),
    params:
        code=code_digest("sample_negatives"),
    message:
        "Negative samples of {wildcards.method} of {wildcards.analysis} by epoch, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/sample_negatives.py --snapshots {input.snapshots:q} --train {input.train:q}'
        " --output {output:q} > {log:q} 2>&1"


# Negatives for methods that have some.
rule measure_snapshots:
    input:
        snapshots="results/{analysis}/models/{method}/{group}/snapshots.pt",
        background=split("validation"),
        signal=lambda wildcards: PAPER.signal_tables(),
        negatives=lambda wildcards: (
            []
            if PLAN.methods[wildcards.method].kind == "ae"
            else [
                f"results/{wildcards.analysis}/negatives/{wildcards.method}/{wildcards.group}.h5"
            ]
        ),
    output:
        "results/{analysis}/models/{method}/{group}/snapshots.csv",
    log:
        "results/logs/measure_snapshots/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/measure_snapshots/{analysis}/{method}/{group}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 120),
    params:
        signal=lambda wildcards: PAPER.signal_argument(),
        points=lambda wildcards: PAPER.signal_point(),
        negatives=lambda wildcards, input: (
            ["--negatives", *input.negatives] if input.negatives else []
        ),
        code=code_digest("measure_snapshots"),
    message:
        "Energies and W by epoch of {wildcards.method}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/measure_snapshots.py --snapshots {input.snapshots:q} --background {input.background:q}'
        " --signal {params.signal:q} --points {params.points:q} {params.negatives:q} --output {output:q} > {log:q} 2>&1"


rule select_epochs:
    input:
        history=lambda wildcards: PLAN.models(
            wildcards.analysis, wildcards.method, "history.csv"
        ),
        auc=lambda wildcards: PLAN.models(
            wildcards.analysis, wildcards.method, "auc_by_epoch.csv"
        ),
    output:
        "results/{analysis}/auc_at/{method}_{moment}.csv",
    log:
        "results/logs/select_epochs/{analysis}/{method}_{moment}.log",
    wildcard_constraints:
        moment="lowest_w|last",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        code=code_digest("select_epochs"),
    message:
        "AUC of {wildcards.method} at one moment of its training: {wildcards.moment}"
    shell:
        'python "$ODDJET"/workflow/scripts/select_epochs.py --history {input.history:q} --auc-by-epoch {input.auc:q}'
        " --moment {wildcards.moment} --output {output:q} > {log:q} 2>&1"


rule compare_epochs:
    input:
        history=[
            path
            for method in PAPER.methods()
            for path in PLAN.models("jets", method, "history.csv")
        ],
        auc=[
            path
            for method in PAPER.methods()
            for path in PLAN.models("jets", method, "auc_by_epoch.csv")
        ],
    output:
        table="results/jets/epoch_choice.csv",
        summary="results/jets/epoch_choice.md",
    log:
        "results/logs/compare_epochs.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        titles=titles,
        code=code_digest("compare_epochs"),
    message:
        "AUC at the epochs chosen without signal, against the best ones"
    shell:
        'python "$ODDJET"/workflow/scripts/compare_epochs.py --titles {params.titles:q} --history {input.history:q} --auc-by-epoch {input.auc:q}'
        " --table {output.table:q} --summary {output.summary:q} > {log:q} 2>&1"


rule plot_epochs:
    input:
        history=lambda wildcards: PAPER.tables(wildcards.figure, "history.csv"),
        auc=lambda wildcards: PAPER.tables(wildcards.figure, "auc_by_epoch.csv"),
        measured=lambda wildcards: (
            PAPER.tables(wildcards.figure, "snapshots.csv")
            if wildcards.figure in MEASURED
            else []
        ),
    output:
        pdf="results/jets/figures/paper/figure_{figure}.pdf",
        png=reported(
            "results/jets/figures/paper/figure_{figure}.png",
            "paper",
            "CMS-MLG-24-002",
            "figure {figure}",
            "the paper",
        ),
    log:
        "results/logs/plot_epochs/{figure}.log",
    wildcard_constraints:
        figure=any_of(EPOCHS),
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        options=lambda wildcards, input: [
            *(["--measured", *input.measured] if input.measured else []),
            *(
                ["--seed", str(ANALYSES["jets"].seeds[0])]
                if wildcards.figure in ONE_SEED
                else []
            ),
        ],
        title=lambda wildcards: PAPER.title(wildcards.figure),
        code=code_digest("plot_epochs"),
    message:
        "Figure {wildcards.figure} of the paper"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_epochs.py --title {params.title:q} --figure {wildcards.figure} --history {input.history:q}'
        " --auc-by-epoch {input.auc:q} {params.options:q} --label {params.label:q}"
        " --output {output:q} > {log:q} 2>&1"


rule plot_histograms:
    input:
        negatives=lambda wildcards: [
            f"results/jets/negatives/{HISTOGRAMS[wildcards.figure]}/{group}.h5"
            for group in ANALYSES["jets"].groups()
        ],
        history=lambda wildcards: PLAN.models(
            "jets", HISTOGRAMS[wildcards.figure], "history.csv"
        ),
        background="results/jets/dataset/validation.h5",
        signal=lambda wildcards: PAPER.signal_tables(),
    output:
        pdf="results/jets/figures/paper/figure_{figure}.pdf",
        png=reported(
            "results/jets/figures/paper/figure_{figure}.png",
            "paper",
            "CMS-MLG-24-002",
            "figure {figure}",
            "the paper",
        ),
    log:
        "results/logs/plot_histograms/{figure}.log",
    wildcard_constraints:
        figure=any_of(HISTOGRAMS),
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        title=lambda wildcards: PAPER.title(wildcards.figure),
        seed=lambda wildcards: ANALYSES["jets"].seeds[0],
        signal=lambda wildcards: PAPER.signal_argument(),
        points=lambda wildcards: PAPER.signal_point(),
        code=code_digest("plot_histograms"),
    message:
        "Figure {wildcards.figure} of the paper"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_histograms.py --figure {wildcards.figure} --title {params.title:q}'
        " --seed {params.seed} --negatives {input.negatives:q} --history {input.history:q}"
        " --background {input.background:q} --signal {params.signal:q} --points {params.points:q} --label {params.label:q}"
        " --output {output:q} > {log:q} 2>&1"


rule plot_paper_heatmap:
    input:
        lambda wildcards: HEATMAPS[wildcards.figure][1],
    output:
        pdf="results/jets/figures/paper/figure_{figure}.pdf",
        png=reported(
            "results/jets/figures/paper/figure_{figure}.png",
            "paper",
            "CMS-MLG-24-002",
            "figure {figure}",
            "the paper",
        ),
    log:
        "results/logs/plot_paper_heatmap/{figure}.log",
    wildcard_constraints:
        figure=any_of(HEATMAPS),
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        title=lambda wildcards: HEATMAPS[wildcards.figure][2],
        samples=sample_titles,
        heatmap=heatmap,
        selection=lambda wildcards: PLAN.selection("jets"),
        code=code_digest("plot_heatmap"),
    message:
        "Figure {wildcards.figure} of the paper"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_heatmap.py --auc {input:q} --title {params.title:q} --label {params.label:q}'
        " --sample-titles {params.samples:q} --heatmap {params.heatmap:q} --selection {params.selection:q}"
        " --output {output:q} > {log:q} 2>&1"


rule plot_sketch:
    output:
        pdf="results/jets/figures/paper/figure_{figure}.pdf",
        png=reported(
            "results/jets/figures/paper/figure_{figure}.png",
            "paper",
            "CMS-MLG-24-002",
            "figure {figure}",
            "the paper",
        ),
    log:
        "results/logs/plot_sketch/{figure}.log",
    wildcard_constraints:
        figure=any_of(SKETCHES),
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        code=code_digest("plot_sketch"),
    message:
        "Figure {wildcards.figure} of the paper"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_sketch.py --figure {wildcards.figure}'
        " --output {output:q} > {log:q} 2>&1"
