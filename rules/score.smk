rule score_samples:
    input:
        model="results/{analysis}/models/{method}/{group}/model.pt",
        background=split("test"),
        signals=signal_tables,
        cutflow=cutflow,
    output:
        "results/{analysis}/scores/{method}/{group}.h5",
    log:
        "results/logs/score_samples/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score_samples/{analysis}/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(with_models(PLAN.methods)),
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 120),
    params:
        settings=evaluation,
        signals=signal_arguments,
        points=points,
        cross_sections=signal_cross_sections,
        code=lambda wildcards: code_digest(
            "score_samples", *loaded_modules(PLAN.methods, [wildcards.method])
        ),
    message:
        "Score test background and signals of {wildcards.analysis} with {wildcards.method}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/score_samples.py --settings {params.settings:q} --model {input.model:q}'
        " --background {input.background:q} --signals {params.signals:q} --points {params.points:q}"
        " --cross-sections {params.cross_sections:q} --output {output:q} > {log:q} 2>&1"


# Trains nothing, and sees signal in the score tables alone: means and deviations are those of the validation background.
rule score_ensemble:
    input:
        models=lambda wildcards: PLAN.members(*wildcards, "models"),
        scores=lambda wildcards: PLAN.members(*wildcards, "scores"),
        background=split("validation"),
    output:
        "results/{analysis}/scores/{method}.h5",
    log:
        "results/logs/score_ensemble/{analysis}/{method}.log",
    benchmark:
        "results/benchmarks/score_ensemble/{analysis}/{method}.tsv"
    wildcard_constraints:
        method=any_of(ensembles(PLAN.methods)),
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 60),
    params:
        settings=method_settings,
        code=lambda wildcards: code_digest(
            "score_ensemble",
            *loaded_modules(PLAN.methods, ensembles(PLAN.methods)[wildcards.method]),
        ),
    message:
        "Average the scores of the members of {wildcards.method} of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/score_ensemble.py --settings {params.settings:q} --method {wildcards.method:q}'
        " --models {input.models:q} --scores {input.scores:q} --background {input.background:q}"
        " --output {output:q} > {log:q} 2>&1"
