# What statistics need of the scores, not part of the default run: `snakemake limits`, `flatness` and `abcd`.
rule estimate_limits:
    input:
        scores=lambda wildcards: PLAN.scores(*wildcards),
        splits=lambda wildcards: [
            PLAN.split(wildcards.analysis, name)
            for name in ("train", "validation", "test")
        ],
        signals=signal_tables,
    output:
        limits="results/{analysis}/limits/{method}.csv",
        histograms="results/{analysis}/limits/{method}.root",
        folder=directory("results/{analysis}/limits/{method}"),
    log:
        "results/logs/estimate_limits/{analysis}/{method}.log",
    benchmark:
        "results/benchmarks/estimate_limits/{analysis}/{method}.tsv"
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=CONFIG.limits.model_dump_json(exclude={"methods"}),
        signals=signal_arguments,
        points=points,
        weighted=lambda wildcards: PUBLISHED.weighted_to(wildcards.analysis),
        code=code_digest("estimate_limits"),
    message:
        "Expected limits of {wildcards.method} of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/estimate_limits.py --settings {params.settings:q} --scores {input.scores:q}'
        " --splits {input.splits:q} --signals {params.signals:q} --points {params.points:q}"
        " --weighted-to {params.weighted:q} --output {output.limits:q} --histograms {output.histograms:q} --output-dir {output.folder:q} > {log:q} 2>&1"


rule plot_limits:
    input:
        limits_of,
    output:
        pdf="results/{analysis}/figures/limits.pdf",
        png=reported(
            "results/{analysis}/figures/limits.png",
            "limits",
            "{analysis}",
            "expected limits",
        ),
    log:
        "results/logs/plot_limits/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        titles=titles,
        samples=sample_titles,
        heatmap=heatmap,
        luminosity=CONFIG.limits.luminosity,
        code=code_digest("plot_limits"),
    message:
        "Expected limits of all methods of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_limits.py --titles {params.titles:q} --limits {input:q}'
        " --sample-titles {params.samples:q} --heatmap {params.heatmap:q}"
        " --luminosity {params.luminosity} --label {params.label:q}"
        " --output {output:q} > {log:q} 2>&1"


# Thresholds and the pair of an ABCD estimate are chosen on these, and tested on the test jets; no signal is scored.
use rule score as score_validation with:
    input:
        models=opened_from("models"),
        train=opened_from("train"),
        validation=opened_from("validation"),
        images=opened_from("images"),
        background=split("validation"),
        signals=[],
        data=[],
        test_backgrounds=[],
        cutflow=cutflow,
    output:
        "results/{analysis}/validation_scores/{method}/{group}.h5",
    log:
        "results/logs/score_validation/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score_validation/{analysis}/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(PLAN.methods),
        group=any_of([*PLAN.groups(), MEAN]),
    params:
        settings=lambda wildcards: PLAN.method(
            wildcards.analysis, wildcards.method
        ).model_dump_json(),
        rows="jets",
        evaluation=evaluation,
        seeds=seeds,
        signals=[],
        data=[],
        test_backgrounds=[],
        points="{}",
        cross_sections="{}",
        code=lambda wildcards: code_digest(
            "score", *PLAN.opened_modules(wildcards.analysis, wildcards.method)
        ),
    message:
        "Score validation background of {wildcards.analysis} with {wildcards.method}, {wildcards.group}"


rule measure_flatness:
    input:
        validation=lambda wildcards: PUBLISHED.validation_scores(wildcards.analysis),
        test=lambda wildcards: PLAN.all_scores(wildcards.analysis),
    output:
        thresholds="results/{analysis}/thresholds.csv",
        flatness="results/{analysis}/flatness.csv",
    log:
        "results/logs/measure_flatness/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 30),
    params:
        code=code_digest("measure_flatness"),
    message:
        "Thresholds of all methods of {wildcards.analysis}, and what they leave of mass and pT"
    shell:
        'python "$ODDJET"/workflow/scripts/measure_flatness.py --validation {input.validation:q} --test {input.test:q}'
        " --thresholds {output.thresholds:q} --flatness {output.flatness:q} > {log:q} 2>&1"


rule plot_flatness:
    input:
        "results/{analysis}/flatness.csv",
    output:
        pdf="results/{analysis}/figures/flatness.pdf",
        png=reported(
            "results/{analysis}/figures/flatness.png",
            "flatness",
            "{analysis}",
            "background efficiency by mass and pT",
        ),
    log:
        "results/logs/plot_flatness/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        titles=titles,
        code=code_digest("plot_flatness"),
    message:
        "Background efficiency by mass and pT of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_flatness.py --titles {params.titles:q} --flatness {input:q}'
        " --label {params.label:q} --output {output:q} > {log:q} 2>&1"


rule estimate_abcd:
    input:
        validation=lambda wildcards: PUBLISHED.validation_scores(wildcards.analysis),
        test=lambda wildcards: PLAN.all_scores(wildcards.analysis),
    output:
        pairs="results/{analysis}/abcd/pairs.csv",
        closure="results/{analysis}/abcd/closure.csv",
    log:
        "results/logs/estimate_abcd/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=CONFIG.abcd.model_dump_json(),
        code=code_digest("estimate_abcd"),
    message:
        "The least correlated pair of methods of {wildcards.analysis}, and its closure"
    shell:
        'python "$ODDJET"/workflow/scripts/estimate_abcd.py --settings {params.settings:q} --validation {input.validation:q}'
        " --test {input.test:q} --pairs {output.pairs:q} --closure {output.closure:q} > {log:q} 2>&1"


rule plot_abcd:
    input:
        pairs="results/{analysis}/abcd/pairs.csv",
        closure="results/{analysis}/abcd/closure.csv",
    output:
        pdf="results/{analysis}/figures/abcd.pdf",
        png=reported(
            "results/{analysis}/figures/abcd.png",
            "abcd",
            "{analysis}",
            "distance correlations and closure",
        ),
    log:
        "results/logs/plot_abcd/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        titles=titles,
        code=code_digest("plot_abcd"),
    message:
        "Distance correlations and closure of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_abcd.py --titles {params.titles:q} --pairs {input.pairs:q}'
        " --closure {input.closure:q} --label {params.label:q} --output {output:q} > {log:q} 2>&1"
