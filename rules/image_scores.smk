# The jets of the semivisible-jet analysis, scored by their images; `snakemake image_scores` makes all. Results as those of
# the methods of the config, and tables over all of them.
include: "image_score_inputs.smk"


rule make_grid_images:
    input:
        local_candidates_of,
    output:
        "results/jets/images/{sample}/{part}.h5",
    log:
        "results/logs/make_grid_images/{sample}/{part}.log",
    benchmark:
        "results/benchmarks/make_grid_images/{sample}/{part}.tsv"
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(120),
    params:
        settings=CONFIG.images.jets.model_dump_json(
            include={"pixels", "width"},
        ),
        features=CONFIG.features.model_dump_json(exclude={"features"}),
        file=candidates_of,
        require_match=lambda wildcards: SAMPLES[wildcards.sample].require_match,
        code=code_digest("make_grid_images"),
    message:
        "Images of the jets of {wildcards.sample}, part {wildcards.part}"
    shell:
        'python "$ODDJET"/workflow/scripts/make_grid_images.py --settings {params.settings:q} --features {params.features:q}'
        " --require-match {params.require_match} --input {params.file:q} --output {output:q} > {log:q} 2>&1"


# The background jets that a VAE is trained on, and those of its validation loss.
rule gather_grid_images:
    input:
        images=grid_images(CONFIG.of_kind("background")),
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
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=grown(60),
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
        seed=any_of(CONFIG.ensemble.seeds),
    resources:
        mem_mb=lambda wildcards, attempt: (
            attempt * (3000 + VAE_METHODS[wildcards.method].train_jets // 110)
        ),
        runtime=grown(2880),
    params:
        settings=vae_method_training,
        metric=lambda wildcards: VAE_METHODS[wildcards.method].metric,
        depth=lambda wildcards: VAE_METHODS[wildcards.method].depth,
    message:
        "Train {wildcards.method}, seed {wildcards.seed}, {wildcards.beta}"


rule score_grid_images:
    input:
        images=scored_images(),
        train="results/jets/dataset/train.h5",
        background="results/jets/dataset/test.h5",
        signals=signal_tables(),
        # Nothing is reported of samples that lost events.
        cutflow="results/jets/cutflow.json",
    output:
        "results/jets/scores/{method}/{group}.h5",
    log:
        "results/logs/score_grid_images/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score_grid_images/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(MEDOID_METHODS),
    conda:
        "../envs/features.yaml"
    threads: 2
    resources:
        mem_mb=grown(4000),
        runtime=grown(120),
    params:
        settings=lambda wildcards: MEDOID_METHODS[wildcards.method].model_dump_json(),
        evaluation=CONFIG.evaluation.model_dump_json(),
        seeds=lambda wildcards: GROUPS[wildcards.group],
        signals=signal_arguments(),
        points=signal_points(),
        cross_sections=json.dumps(CONFIG.cross_sections("signal")),
        code=code_digest("score_grid_images"),
    message:
        "Score test background and signals with {wildcards.method}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/score_grid_images.py --settings {params.settings:q} --evaluation {params.evaluation:q}'
        " --method {wildcards.method:q} --seeds {params.seeds} --images {input.images:q} --train {input.train:q}"
        " --background {input.background:q} --signals {params.signals:q} --points {params.points:q}"
        " --cross-sections {params.cross_sections:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


rule score_grid_vae:
    input:
        models=vae_method_models,
        images=scored_images(),
        background="results/jets/dataset/test.h5",
        signals=signal_tables(),
        # Nothing is reported of samples that lost events.
        cutflow="results/jets/cutflow.json",
    output:
        "results/jets/scores/{method}/{group}.h5",
    log:
        "results/logs/score_grid_vae/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score_grid_vae/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(VAE_METHODS),
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        mem_mb=grown(4000),
        runtime=grown(240),
    params:
        settings=lambda wildcards: VAE_METHODS[wildcards.method].model_dump_json(),
        evaluation=CONFIG.evaluation.model_dump_json(),
        seeds=lambda wildcards: GROUPS[wildcards.group],
        signals=signal_arguments(),
        points=signal_points(),
        cross_sections=json.dumps(CONFIG.cross_sections("signal")),
        code=code_digest("score_grid_vae"),
    message:
        "Score test background and signals with {wildcards.method}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/score_grid_vae.py --settings {params.settings:q} --evaluation {params.evaluation:q}'
        " --method {wildcards.method:q} --seeds {params.seeds} --models {input.models:q} --images {input.images:q}"
        " --background {input.background:q} --signals {params.signals:q} --points {params.points:q}"
        " --cross-sections {params.cross_sections:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


use rule compute_auc as compute_image_auc with:
    wildcard_constraints:
        method=any_of(IMAGE_METHODS),


use rule compute_merit as compute_image_merit with:
    wildcard_constraints:
        method=any_of(IMAGE_METHODS),


use rule plot_heatmap as plot_image_heatmap with:
    wildcard_constraints:
        method=any_of(IMAGE_METHODS),


# The tables and the figure over all methods, those of the default run among them; that run's own are left as they are.
localrules:
    summarize_all_methods,
    summarize_all_merit,
    write_all_leaderboard,
    plot_all_leaderboard,


use rule summarize as summarize_all_methods with:
    input:
        auc=expand("results/jets/auc/{method}.csv", method=ALL_METHODS),
        scores=[path for method in ALL_METHODS for path in scores_of(method)],
    output:
        leaderboard="results/jets_with_images/leaderboard.csv",
        grid="results/jets_with_images/grid_means.csv",
        summary="results/jets_with_images/all_methods.md",
    log:
        "results/logs/summarize_all_methods.log",
    benchmark:
        "results/benchmarks/summarize_all_methods.tsv"
    params:
        approximate=APPROXIMATE,


use rule summarize_merit as summarize_all_merit with:
    input:
        expand("results/jets/merit/{method}.csv", method=ALL_METHODS),
    output:
        table="results/jets_with_images/merit.csv",
        summary="results/jets_with_images/merit.md",
    log:
        "results/logs/summarize_all_merit.log",
    benchmark:
        "results/benchmarks/summarize_all_merit.tsv"
    params:
        approximate=APPROXIMATE,


use rule write_leaderboard as write_all_leaderboard with:
    input:
        leaderboard="results/jets_with_images/leaderboard.csv",
        grid="results/jets_with_images/grid_means.csv",
        merit="results/jets_with_images/merit.csv",
        ceilings="results/jets/ceilings.csv",
    output:
        "results/jets_with_images/leaderboard.md",
    log:
        "results/logs/write_all_leaderboard.log",
    benchmark:
        "results/benchmarks/write_all_leaderboard.tsv"
    params:
        approximate=APPROXIMATE,


use rule plot_leaderboard as plot_all_leaderboard with:
    input:
        leaderboard="results/jets_with_images/leaderboard.csv",
        grid="results/jets_with_images/grid_means.csv",
        merit="results/jets_with_images/merit.csv",
        ceilings="results/jets/ceilings.csv",
    output:
        pdf="results/jets_with_images/leaderboard.pdf",
        png="results/jets_with_images/leaderboard.png",
    log:
        "results/logs/plot_all_leaderboard.log",
    benchmark:
        "results/benchmarks/plot_all_leaderboard.tsv"


# What `snakemake image_scores` makes.
IMAGE_SCORES = [
    *expand("results/jets/auc/{method}.csv", method=IMAGE_METHODS),
    *expand("results/jets/merit/{method}.csv", method=IMAGE_METHODS),
    *expand(
        "results/jets/figures/auc_heatmap_{method}.{suffix}",
        method=IMAGE_METHODS,
        suffix=["pdf", "png"],
    ),
    *expand(
        "results/jets_with_images/leaderboard.{suffix}",
        suffix=["csv", "md", "pdf", "png"],
    ),
]
