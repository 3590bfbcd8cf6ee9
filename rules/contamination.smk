# The contamination scan: `snakemake contamination`. The one place where signal enters a training, and on purpose: what a
# search loses when its background sample holds signal. Its models lie apart, and no other rule reads them.
include: "contamination_inputs.smk"


wildcard_constraints:
    contamination=any_of(SIGNAL_SHARES),


localrules:
    contaminate_dataset,
    summarize_contamination,
    plot_contamination,


rule contaminate_dataset:
    input:
        train="results/jets/dataset/train.h5",
        signals=signal_tables(),
    output:
        mixed=[
            f"results/contamination/dataset/train_{label}.h5"
            for label in SIGNAL_SHARES
        ],
        held_out=held_out_tables(),
    log:
        "results/logs/contaminate_dataset.log",
    benchmark:
        "results/benchmarks/contaminate_dataset.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        settings=CONFIG.contamination.model_dump_json(exclude={"methods"}),
        signals=signal_arguments(),
        mixed=lambda wildcards, output: [
            f"{share}={path}"
            for share, path in zip(SIGNAL_SHARES.values(), output.mixed, strict=True)
        ],
        folder=lambda wildcards, output: str(Path(output.held_out[0]).parent),
        code=code_digest("contaminate_dataset"),
    message:
        "Mix signal into the training jets, for the contamination scan"
    shell:
        'python "$ODDJET"/workflow/scripts/contaminate_dataset.py --settings {params.settings:q} --train {input.train:q}'
        " --signals {params.signals:q} --mixed {params.mixed:q} --held-out-dir {params.folder:q} > {log:q} 2>&1"


use rule train_model as train_contaminated with:
    input:
        train="results/contamination/dataset/train_{contamination}.h5",
        validation="results/jets/dataset/validation.h5",
        scaler="results/jets/dataset/scaler.json",
    output:
        model="results/contamination/models/{contamination}/{method}/{group}/model.pt",
        history="results/contamination/models/{contamination}/{method}/{group}/history.csv",
        snapshots="results/contamination/models/{contamination}/{method}/{group}/snapshots.pt",
    log:
        "results/logs/train_contaminated/{contamination}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/train_contaminated/{contamination}/{method}/{group}.tsv"
    message:
        "Train {wildcards.method} with {wildcards.contamination}, seeds {params.seeds}"


use rule fit_baseline as fit_contaminated with:
    input:
        train="results/contamination/dataset/train_{contamination}.h5",
        validation="results/jets/dataset/validation.h5",
        scaler="results/jets/dataset/scaler.json",
    output:
        model="results/contamination/models/{contamination}/{method}/{group}/model.pt",
        history="results/contamination/models/{contamination}/{method}/{group}/history.csv",
        snapshots="results/contamination/models/{contamination}/{method}/{group}/snapshots.pt",
    log:
        "results/logs/fit_contaminated/{contamination}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/fit_contaminated/{contamination}/{method}/{group}.tsv"
    message:
        "Fit {wildcards.method} with {wildcards.contamination}, seeds {params.seeds}"


use rule score_samples as score_contaminated with:
    input:
        model="results/contamination/models/{contamination}/{method}/{group}/model.pt",
        background="results/jets/dataset/test.h5",
        signals=held_out_tables(),
        cutflow="results/jets/cutflow.json",
    output:
        "results/contamination/scores/{contamination}/{method}/{group}.h5",
    log:
        "results/logs/score_contaminated/{contamination}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/score_contaminated/{contamination}/{method}/{group}.tsv"
    params:
        settings=json.dumps(
            {"minimum_signal_jets": CONFIG.contamination.minimum_signal_jets}
        ),
        signals=[
            f"{name}={path}"
            for name, path in zip(
                CONFIG.of_kind("signal"), held_out_tables(), strict=True
            )
        ],
        points=signal_points(),
        # Held-out jets are a part of a sample: a cross section says nothing of their number, and an AUC does not need it.
        cross_sections="{}",
        code=code_digest("score_samples"),
    message:
        "Score with {wildcards.method}, {wildcards.group}, trained with {wildcards.contamination}"


rule summarize_contamination:
    input:
        contaminated_scores,
    output:
        table="results/jets/contamination.csv",
        summary="results/jets/contamination.md",
    log:
        "results/logs/summarize_contamination.log",
    benchmark:
        "results/benchmarks/summarize_contamination.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        scores=lambda wildcards, input: [
            f"{SIGNAL_SHARES[Path(path).parts[3]]}={path}" for path in input
        ],
        code=code_digest("summarize_contamination"),
    message:
        "AUC by share of signal in the training"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize_contamination.py --scores {params.scores:q} --table {output.table:q}'
        " --summary {output.summary:q} > {log:q} 2>&1"


rule plot_contamination:
    input:
        "results/jets/contamination.csv",
    output:
        pdf="results/jets/figures/contamination.pdf",
        png="results/jets/figures/contamination.png",
    log:
        "results/logs/plot_contamination.log",
    benchmark:
        "results/benchmarks/plot_contamination.tsv"
    conda:
        "../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=grown(1000),
        runtime=grown(10),
    params:
        label=lambda wildcards: CONFIG.label,
        code=code_digest("plot_contamination"),
    message:
        "Figure of the contamination scan"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_contamination.py --table {input:q} --label {params.label:q}'
        " --output-pdf {output.pdf:q} --output-png {output.png:q} > {log:q} 2>&1"
