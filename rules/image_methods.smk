# The jets of the analysis `jets`, scored by their images; `snakemake image_scores` makes all. AUC, figures of merit and
# heatmaps are those of any method; the leaderboard `jets_with_images` has all methods.
VAE_METHODS = CONFIG.images.vae_methods()


rule make_grid_images:
    input:
        lambda wildcards: PLAN.local_candidates(wildcards.sample, wildcards.file),
        payloads=lambda wildcards: PLAN.payloads(wildcards.sample),
    output:
        "results/jets/images/{sample}/{file}.h5",
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
        code=code_digest("make_grid_images"),
    message:
        "Images of the jets of {wildcards.sample}, file {wildcards.file}"
    shell:
        'python "$ODDJET"/workflow/scripts/make_grid_images.py --settings {params.settings:q} --features {params.features:q}'
        " --require-match {params.require_match} --selection {params.selection:q} --input {params.file:q} --output {output:q} > {log:q} 2>&1"


# The background jets that a VAE is trained on, and those of its validation loss.
rule gather_grid_images:
    input:
        images=lambda wildcards: PLAN.grid_images(*ANALYSES["jets"].background),
        tables=["results/jets/dataset/train.h5", "results/jets/dataset/validation.h5"],
    output:
        [
            "results/jets/dataset/train_images.h5",
            "results/jets/dataset/validation_images.h5",
        ],
    log:
        "results/logs/gather_grid_images.log",
    benchmark:
        "results/benchmarks/gather_grid_images.tsv"
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(4000, 60),
    params:
        seed=CONFIG.dataset.seed,
        code=code_digest("gather_grid_images"),
    message:
        "Images of the background jets that are trained on"
    shell:
        'python "$ODDJET"/workflow/scripts/gather_grid_images.py --images {input.images:q} --tables {input.tables:q}'
        " --seed {params.seed} --outputs {output:q} > {log:q} 2>&1"


# No signal among the inputs, as for every training.
use rule train_vae as train_grid_vae with:
    input:
        train="results/jets/dataset/train_images.h5",
        validation="results/jets/dataset/validation_images.h5",
    output:
        model="results/jets/models/{method}/seed-{seed}/{beta}/model.pt",
        history="results/jets/models/{method}/seed-{seed}/{beta}/history.csv",
    log:
        "results/logs/train_grid_vae/{method}/seed-{seed}/{beta}.log",
    benchmark:
        "results/benchmarks/train_grid_vae/{method}/seed-{seed}/{beta}.tsv"
    wildcard_constraints:
        method=any_of(VAE_METHODS),
        seed=any_of(ANALYSES["jets"].seeds if "jets" in ANALYSES else []),
    resources:
        **grown(
            lambda wildcards: 3000 + VAE_METHODS[wildcards.method].train_jets // 110,
            2880,
        ),
    params:
        settings=lambda wildcards: IMAGES.method_training(
            wildcards.method, int(wildcards.seed)
        ),
        metric=lambda wildcards: VAE_METHODS[wildcards.method].metric,
        depth=lambda wildcards: VAE_METHODS[wildcards.method].depth,
    message:
        "Train {wildcards.method}, seed {wildcards.seed}, {wildcards.beta}"
