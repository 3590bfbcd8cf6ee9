# What methods that score jets by their images are made from; their scores, tables and figures are those of any method.
BETAS = {
    f"beta-{beta:g}": beta
    for analysis in ANALYSES.values()
    for method in vaes(analysis.methods).values()
    for beta in method.betas
}


rule make_grid_images:
    input:
        lambda wildcards: PLAN.local_candidates(wildcards.sample, wildcards.file),
        payloads=lambda wildcards: PLAN.payloads(wildcards.sample),
    output:
        "results/jet_images/{sample}/{file}.h5",
    log:
        "results/logs/make_grid_images/{sample}/{file}.log",
    benchmark:
        "results/benchmarks/make_grid_images/{sample}/{file}.tsv"
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(3000, 120),
    params:
        settings=CONFIG.images.jets.model_dump_json(
            include={"pixels", "width"},
        ),
        # Which features there are makes no other jets, unless a cut is on one.
        features=lambda wildcards: SAMPLES[wildcards.sample]
        .own_features(CONFIG.features)
        .model_dump_json(
            exclude=set() if CONFIG.cuts_on_jets() else {"features"},
        ),
        file=lambda wildcards: PLAN.candidates(wildcards.sample, wildcards.file),
        require_match=lambda wildcards: SAMPLES[wildcards.sample].require_match,
        selection=own_selection,
        code=code_digest("make_images"),
    message:
        "Images of the jets of {wildcards.sample}, file {wildcards.file}"
    shell:
        'python "$ODDJET"/workflow/scripts/make_images.py --settings {params.settings:q} --features {params.features:q}'
        " --require-match {params.require_match} --selection {params.selection:q} --inputs {params.file:q} --output {output:q} > {log:q} 2>&1"


# The background jets that a VAE is trained on, and those of its validation loss.
rule gather_grid_images:
    input:
        images=lambda wildcards: PLAN.jet_images(
            *ANALYSES[wildcards.analysis].background
        ),
        tables=[
            "results/{analysis}/dataset/train.h5",
            "results/{analysis}/dataset/validation.h5",
        ],
    output:
        [
            "results/{analysis}/dataset/train_images.h5",
            "results/{analysis}/dataset/validation_images.h5",
        ],
    log:
        "results/logs/gather_grid_images/{analysis}.log",
    benchmark:
        "results/benchmarks/gather_grid_images/{analysis}.tsv"
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(4000, 60),
    params:
        seed=lambda wildcards: ANALYSES[wildcards.analysis].dataset.seed,
        code=code_digest("gather_grid_images"),
    message:
        "Images of the background jets of {wildcards.analysis} that are trained on"
    shell:
        'python "$ODDJET"/workflow/scripts/gather_grid_images.py --images {input.images:q} --tables {input.tables:q}'
        " --seed {params.seed} --outputs {output:q} > {log:q} 2>&1"


# No signal among the inputs, as for every training.
use rule train_vae as train_grid_vae with:
    input:
        train="results/{analysis}/dataset/train_images.h5",
        validation="results/{analysis}/dataset/validation_images.h5",
    output:
        model="results/{analysis}/models/{method}/seed-{seed}/{beta}/model.pt",
        history="results/{analysis}/models/{method}/seed-{seed}/{beta}/history.csv",
    log:
        "results/logs/train_grid_vae/{analysis}/{method}/seed-{seed}/{beta}.log",
    benchmark:
        "results/benchmarks/train_grid_vae/{analysis}/{method}/seed-{seed}/{beta}.tsv"
    wildcard_constraints:
        method=any_of(vaes(PLAN.methods)),
        seed=any_of({seed for own in ANALYSES.values() for seed in own.seeds}),
        beta=any_of(BETAS),
    resources:
        **grown(
            lambda wildcards: (
                3000
                + PLAN.method(wildcards.analysis, wildcards.method).train_jets // 110
            ),
            2880,
        ),
    params:
        settings=lambda wildcards: IMAGES.method_training(
            PLAN.method(wildcards.analysis, wildcards.method), int(wildcards.seed)
        ),
        metric=lambda wildcards: PLAN.method(
            wildcards.analysis, wildcards.method
        ).metric,
        depth=lambda wildcards: PLAN.method(wildcards.analysis, wildcards.method).depth,
        beta=lambda wildcards: BETAS[wildcards.beta],
    message:
        "Train {wildcards.method} of {wildcards.analysis}, seed {wildcards.seed}, {wildcards.beta}"
