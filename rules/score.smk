# Trains nothing, and sees signal as test rows alone.
rule score:
    input:
        models=opened_from("models"),
        train=opened_from("train"),
        validation=opened_from("validation"),
        images=opened_from("images"),
        background=split("test"),
        signals=signal_tables,
        data=data_tables,
        test_backgrounds=lambda wildcards: PLAN.test_background_tables(
            wildcards.analysis
        ),
        cutflow=cutflow,
    output:
        "results/{analysis}/scores/{method}/{group}.h5",
    log:
        "results/logs/score/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score/{analysis}/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(PLAN.methods),
        group=any_of([*PLAN.groups(), MEAN]),
    conda:
        "../envs/train.yaml"
    # Images take time: those of a jet are transported to many others.
    threads: lambda wildcards: 2 if wildcards.method in of_images(PLAN.methods) else 1
    resources:
        **grown(4000, 240),
    params:
        settings=lambda wildcards: PLAN.method(
            wildcards.analysis, wildcards.method
        ).model_dump_json(),
        rows="jets",
        evaluation=evaluation,
        seeds=seeds,
        signals=signal_arguments,
        data=data_arguments,
        test_backgrounds=lambda wildcards: PLAN.test_background_arguments(
            wildcards.analysis
        ),
        points=points,
        cross_sections=tested_cross_sections,
        code=lambda wildcards: code_digest(
            "score", *PLAN.opened_modules(wildcards.analysis, wildcards.method)
        ),
    message:
        "Score test background and signals of {wildcards.analysis} with {wildcards.method}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/score.py --settings {params.settings:q} --method {wildcards.method:q} --rows {params.rows}'
        " --seeds {params.seeds} --models {input.models:q} --train {input.train:q} --validation {input.validation:q}"
        " --images {input.images:q} --data {params.data:q} --threads {threads}"
        " --evaluation {params.evaluation:q} --background {input.background:q} --signals {params.signals:q}"
        " --test-backgrounds {params.test_backgrounds:q} --points {params.points:q} --cross-sections {params.cross_sections:q} --output {output:q} > {log:q} 2>&1"
