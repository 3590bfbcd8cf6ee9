# Systematic variations: `snakemake variations`. Nothing is trained on them: no rule of a training reads what is made here.
VARIATIONS = any_of(
    name
    for sample in SAMPLES.values()
    for name in sample.own_features(CONFIG.features).corrections.shifted()
)


localrules:
    compare_variations,


rule extract_variation:
    input:
        lambda wildcards: PLAN.local_candidates(wildcards.sample, wildcards.file),
        golden_json=lambda wildcards: PLAN.golden_json(wildcards.sample),
        payloads=lambda wildcards: PLAN.payloads(wildcards.sample),
    output:
        "results/variations/{variation}/{sample}/{file}.h5",
    log:
        "results/logs/extract_variation/{variation}/{sample}/{file}.log",
    benchmark:
        "results/benchmarks/extract_variation/{variation}/{sample}/{file}.tsv"
    wildcard_constraints:
        variation=VARIATIONS,
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(3000, 120),
    params:
        settings=CONFIG.features.model_dump_json(),
        corrections=lambda wildcards: own_corrections(wildcards.sample),
        file=lambda wildcards: PLAN.candidates(wildcards.sample, wildcards.file),
        require_match=lambda wildcards: SAMPLES[wildcards.sample].require_match,
        selection=lambda wildcards: SAMPLES[wildcards.sample]
        .own_selection()
        .model_dump_json(),
        weight=lambda wildcards: SAMPLES[wildcards.sample].weight,
        code=code_digest("extract_features"),
    message:
        "Extract the features of {wildcards.sample}, file {wildcards.file}, under {wildcards.variation}"
    shell:
        'python "$ODDJET"/workflow/scripts/extract_features.py --settings {params.settings:q} --sample {wildcards.sample:q}'
        " --require-match {params.require_match} --weight {params.weight} --selection {params.selection:q} --input {params.file:q}"
        " {params.corrections:q} --variation {wildcards.variation} --output {output:q} > {log:q} 2>&1"


rule build_variation:
    input:
        lambda wildcards: PLAN.shifted_tables(
            wildcards.variation, *ANALYSES[wildcards.analysis].background
        ),
    output:
        "results/{analysis}/variations/{variation}/test.h5",
    log:
        "results/logs/build_variation/{analysis}/{variation}.log",
    wildcard_constraints:
        variation=VARIATIONS,
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=lambda wildcards: ANALYSES[
            wildcards.analysis
        ].dataset.model_dump_json(),
        cross_sections=lambda wildcards: PLAN.background_cross_sections(
            wildcards.analysis
        ),
        matched=lambda wildcards: (
            ["--of-signal"] if PLAN.trains_on_signal(wildcards.analysis) else []
        ),
        code=code_digest("build_variation"),
    message:
        "Test background of {wildcards.analysis} under {wildcards.variation}"
    shell:
        'python "$ODDJET"/workflow/scripts/build_variation.py --settings {params.settings:q} --inputs {input:q}'
        " {params.matched:q} --cross-sections {params.cross_sections:q} --test {output:q} > {log:q} 2>&1"


use rule score as score_variation with:
    input:
        models=opened_from("models"),
        train=opened_from("train"),
        validation=opened_from("validation"),
        images=[],
        background="results/{analysis}/variations/{variation}/test.h5",
        signals=lambda wildcards: PLAN.shifted_tables(
            wildcards.variation, *ANALYSES[wildcards.analysis].signals
        ),
        data=[],
        test_backgrounds=[],
        cutflow=cutflow,
    output:
        "results/{analysis}/variations/{variation}/scores/{method}/{group}.h5",
    log:
        "results/logs/score_variation/{analysis}/{variation}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score_variation/{analysis}/{variation}/{method}/{group}.tsv"
    wildcard_constraints:
        variation=VARIATIONS,
        method=any_of(of_columns(PLAN.methods)),
        group=any_of([*PLAN.groups(), MEAN]),
    params:
        settings=lambda wildcards: PLAN.method(
            wildcards.analysis, wildcards.method
        ).model_dump_json(),
        rows="jets",
        evaluation=evaluation,
        seeds=seeds,
        signals=lambda wildcards: PLAN.shifted_signals(
            wildcards.analysis, wildcards.variation
        ),
        data=[],
        test_backgrounds=[],
        points=points,
        cross_sections=lambda wildcards: PLAN.signal_cross_sections(wildcards.analysis),
        code=lambda wildcards: code_digest(
            "score", *PLAN.opened_modules(wildcards.analysis, wildcards.method)
        ),
    message:
        "Score the samples of {wildcards.analysis} under {wildcards.variation} with the nominal {wildcards.method}, {wildcards.group}"


rule compare_variations:
    input:
        nominal=lambda wildcards: PLAN.column_scores(wildcards.analysis),
        shifted=lambda wildcards: [
            path
            for name in PLAN.shifted(wildcards.analysis)
            for path in PLAN.shifted_scores(wildcards.analysis, name)
        ],
    output:
        table="results/{analysis}/variations.csv",
        summary="results/{analysis}/variations.md",
    log:
        "results/logs/compare_variations/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=CONFIG.variations.model_dump_json(),
        shifted=lambda wildcards: [
            f"{name}={','.join(PLAN.shifted_scores(wildcards.analysis, name))}"
            for name in PLAN.shifted(wildcards.analysis)
        ],
        titles=titles,
        code=code_digest("compare_variations"),
    message:
        "AUC and efficiencies of {wildcards.analysis} under systematic variations"
    shell:
        'python "$ODDJET"/workflow/scripts/compare_variations.py --titles {params.titles:q} --settings {params.settings:q}'
        " --nominal {input.nominal:q} --shifted {params.shifted:q} --table {output.table:q} --summary {output.summary:q} > {log:q} 2>&1"


rule plot_variations:
    input:
        "results/{analysis}/variations.csv",
    output:
        pdf="results/{analysis}/figures/variations.pdf",
        png=reported(
            "results/{analysis}/figures/variations.png",
            "variations",
            "{analysis}",
            "systematic variations",
        ),
    log:
        "results/logs/plot_variations/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        label=label,
        titles=titles,
        code=code_digest("plot_variations"),
    message:
        "Figure of the systematic variations of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_variations.py --titles {params.titles:q} --table {input:q} --label {params.label:q}'
        " --output {output:q} > {log:q} 2>&1"
