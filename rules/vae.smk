# The image VAE, the supervised ceilings and what is made of them; part of `snakemake images`.
VAE = CONFIG.images.vae


wildcard_constraints:
    training_metric=any_of(VAE.trainings),
    depth=r"\d",
    beta=any_of(IMAGES.betas),
    labelled=any_of(CONFIG.images.signals()),


rule train_vae:
    input:
        train=IMAGES.table(CONFIG.images.background, "train"),
        validation=IMAGES.table(CONFIG.images.background, "validation"),
    output:
        model="results/images/vae/{training_metric}/depth-{depth}/seed-{seed}/{beta}/model.pt",
        history="results/images/vae/{training_metric}/depth-{depth}/seed-{seed}/{beta}/history.csv",
    log:
        "results/logs/train_vae/{training_metric}/depth-{depth}/seed-{seed}/{beta}.log",
    benchmark:
        "results/benchmarks/train_vae/{training_metric}/depth-{depth}/seed-{seed}/{beta}.tsv"
    wildcard_constraints:
        seed=any_of(VAE.seeds),
    conda:
        "../envs/train.yaml"
    resources:
        # All images lie dense in memory, 6.4 kB each.
        **grown(
            lambda wildcards: (
                3000 + VAE.trainings[wildcards.training_metric].train_jets // 110
            ),
            2880,
        ),
    params:
        settings=lambda wildcards: IMAGES.vae_training(
            wildcards.training_metric, int(wildcards.seed)
        ),
        metric=lambda wildcards: wildcards.training_metric,
        depth=lambda wildcards: wildcards.depth,
        beta=lambda wildcards: IMAGES.betas[wildcards.beta],
        folder=lambda wildcards, output: str(Path(output.model).parent),
        code=code_digest("train_vae"),
    message:
        "Train a VAE with {wildcards.training_metric}, {wildcards.depth} down-samplings, seed {wildcards.seed}, {wildcards.beta}"
    shell:
        # exec: a shell in between would die of the signal that tells the training to keep its epoch and stop.
        'exec python "$ODDJET"/workflow/scripts/train_vae.py --settings {params.settings:q} --metric {params.metric}'
        " --depth {params.depth} --beta {params.beta} --train {input.train:q} --validation {input.validation:q}"
        " --output-dir {params.folder:q} > {log:q} 2>&1"


# All betas of a metric and depth share their work.
for vae_metric, vae_depth in IMAGES.scans():

    rule:
        name:
            f"score_vae_{vae_metric}_{vae_depth}"
        input:
            models=IMAGES.vae_models(vae_metric, [vae_depth]),
            histories=IMAGES.vae_histories(vae_metric, [vae_depth]),
            train=IMAGES.table(CONFIG.images.background, "train"),
            validation=IMAGES.table(CONFIG.images.background, "validation"),
            background=IMAGES.table(CONFIG.images.background, "test"),
            signals=[IMAGES.table(name, "test") for name in CONFIG.images.signals()],
        output:
            scores=IMAGES.vae_scores(vae_metric, vae_depth),
            record=IMAGES.vae_record(vae_metric, vae_depth),
        log:
            f"results/logs/score_vae/{vae_metric}/depth-{vae_depth}.log",
        benchmark:
            f"results/benchmarks/score_vae/{vae_metric}/depth-{vae_depth}.tsv"
        conda:
            "../envs/train.yaml"
        resources:
            **grown(4000, 240),
        params:
            method=f"vae_{vae_metric}_{vae_depth}",
            settings=IMAGES.vae_scan(),
            signals=IMAGES.arguments("test", CONFIG.images.signals()),
            code=code_digest("score", "oddjet.studies.vae_scan"),
        message:
            f"Score with the VAEs of {vae_metric}, {vae_depth} down-samplings"
        shell:
            'python "$ODDJET"/workflow/scripts/score.py --settings {params.settings:q} --method {params.method} --rows images'
            " --models {input.models:q} --train {input.train:q} --validation {input.validation:q} --background {input.background:q}"
            " --signals {params.signals:q} --threads {threads} --record {output.record:q} --output {output.scores:q} > {log:q} 2>&1"


# Trained on signal, and so no anomaly detector: a ceiling for the table, which nothing else reads.
rule train_cnn:
    input:
        [
            IMAGES.table(name, split)
            for name in IMAGES.labelled
            for split in ("train", "validation", "test")
        ],
    output:
        model="results/images/cnn/{labelled}/depth-{depth}/model.pt",
        history="results/images/cnn/{labelled}/depth-{depth}/history.csv",
        auc="results/images/cnn/{labelled}/depth-{depth}/auc.csv",
    log:
        "results/logs/train_cnn/{labelled}/depth-{depth}.log",
    benchmark:
        "results/benchmarks/train_cnn/{labelled}/depth-{depth}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **grown(4000, 1440),
    params:
        settings=IMAGES.cnn_training(),
        folders=[f"{name}=results/images/tables/{name}" for name in IMAGES.labelled],
        folder=lambda wildcards, output: str(Path(output.model).parent),
        code=code_digest("train_cnn"),
    message:
        "Supervised network on {wildcards.labelled}, {wildcards.depth} down-samplings"
    shell:
        'exec python "$ODDJET"/workflow/scripts/train_cnn.py --settings {params.settings:q} --labelled {wildcards.labelled:q}'
        " --depth {wildcards.depth} --folders {params.folders:q} --output-dir {params.folder:q} > {log:q} 2>&1"


# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    correlate_vae,
    summarize_vae,
    plot_vae,


rule correlate_vae:
    input:
        models=[path for metric in VAE.trainings for path in IMAGES.vae_models(metric)],
        images=IMAGES.table(CONFIG.images.background, "test"),
        distances=IMAGES.compared_distances(),
    output:
        table="results/images/vae/latent.csv",
        pairs="results/images/vae/pairs.h5",
    log:
        "results/logs/correlate_vae.log",
    conda:
        "../envs/train.yaml"
    resources:
        **grown(2000, 60),
    params:
        jets=VAE.correlation_jets,
        code=code_digest("correlate_vae"),
    message:
        "Distances inside the VAEs against those between the images"
    shell:
        'python "$ODDJET"/workflow/scripts/correlate_vae.py --models {input.models:q} --images {input.images:q}'
        " --distances {input.distances:q} --jets {params.jets} --table {output.table:q} --pairs {output.pairs:q} > {log:q} 2>&1"


rule summarize_vae:
    input:
        scores=[path for scan in IMAGES.scans() for path in IMAGES.vae_scores(*scan)],
        records=[IMAGES.vae_record(*scan) for scan in IMAGES.scans()],
        ceilings=IMAGES.cnn_auc(),
        latent="results/images/vae/latent.csv",
    output:
        table="results/images/vae.csv",
        summary="results/images/vae.md",
    log:
        "results/logs/summarize_vae.log",
    conda:
        "../envs/train.yaml"
    resources:
        **grown(1000, 10),
    params:
        code=code_digest("summarize_vae"),
    message:
        "Table of the image VAE"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize_vae.py --scores {input.scores:q} --records {input.records:q} --ceilings {input.ceilings:q}'
        " --latent {input.latent:q} --table {output.table:q} --summary {output.summary:q} > {log:q} 2>&1"


rule plot_vae:
    input:
        table="results/images/vae.csv",
        pairs="results/images/vae/pairs.h5",
        histories=IMAGES.all_vae_histories(),
    output:
        losses=[
            reported(
                f"results/images/figures/vae_losses.{suffix}",
                "vae",
                "images",
                "losses by epoch",
                "image VAE",
            )
            for suffix in FIGURES
        ],
        scan=[
            reported(
                f"results/images/figures/vae_scan.{suffix}",
                "vae",
                "images",
                "AUC by beta",
                "image VAE",
            )
            for suffix in FIGURES
        ],
        latent=[
            reported(
                f"results/images/figures/vae_latent.{suffix}",
                "vae",
                "images",
                "distances of pairs",
                "image VAE",
            )
            for suffix in FIGURES
        ],
    log:
        "results/logs/plot_vae.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 10),
    params:
        metric=next(iter(VAE.trainings)),
        label=label,
        code=code_digest("plot_vae"),
    message:
        "Figures of the image VAE"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_vae.py --table {input.table:q} --pairs {input.pairs:q} --histories {input.histories:q}'
        " --metric {params.metric} --label {params.label:q} --losses {output.losses:q} --scan {output.scan:q} --latent {output.latent:q} > {log:q} 2>&1"
