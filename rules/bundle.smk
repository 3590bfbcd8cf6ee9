# Detectors to publish; not part of the default run, and it needs the packages of the extra `onnx`.
rule make_bundle:
    input:
        models=lambda wildcards: PUBLISHED.bundled(*wildcards, "models"),
        images=lambda wildcards: PUBLISHED.bundled(*wildcards, "images"),
        validation=split("validation"),
        test=split("test"),
        signals=signal_tables,
        cutflow=cutflow,
    output:
        model="results/{analysis}/bundle/{method}/model.onnx",
        card="results/{analysis}/bundle/{method}/card.json",
        check="results/{analysis}/bundle/{method}/check_jets.csv",
        scorer="results/{analysis}/bundle/{method}/scorer.py",
    log:
        "results/logs/make_bundle/{analysis}/{method}.log",
    wildcard_constraints:
        method=any_of(exported(PLAN.methods)),
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 60),
    params:
        folder=folder_of("model"),
        signals=signal_arguments,
        points=points,
        mean=mean_option,
        of_images=lambda wildcards: PUBLISHED.image_options(*wildcards),
        code=lambda wildcards: code_digest(
            "make_bundle",
            "oddjet.bundle.graphs",
            *PUBLISHED.bundle_modules(wildcards.analysis, wildcards.method),
        ),
    message:
        "Publish {wildcards.method} of {wildcards.analysis}"
    shell:
        'python "$ODDJET"/workflow/scripts/make_bundle.py --method {wildcards.method:q} --models {input.models:q}'
        " {params.mean} --images {input.images:q} {params.of_images:q} --validation {input.validation:q} --test {input.test:q} --signals {params.signals:q}"
        " --points {params.points:q} --output-dir {params.folder:q} > {log:q} 2>&1"


rule quantize_bundle:
    input:
        models=lambda wildcards: PLAN.models(wildcards.analysis, wildcards.method),
        validation=split("validation"),
        test=split("test"),
        signals=signal_tables,
        cutflow=cutflow,
    output:
        model="results/{analysis}/bundle/{method}/model_int8.onnx",
        card="results/{analysis}/bundle/{method}/card_int8.json",
    log:
        "results/logs/quantize_bundle/{analysis}/{method}.log",
    wildcard_constraints:
        method=any_of(quantized(PLAN.methods)),
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 60),
    params:
        folder=folder_of("model"),
        signals=signal_arguments,
        points=points,
        code=lambda wildcards: code_digest(
            "quantize_bundle",
            "oddjet.bundle.quantized",
            *loaded_modules(PLAN.methods, [wildcards.method]),
        ),
    message:
        "Publish {wildcards.method} of {wildcards.analysis} with 8 bits"
    shell:
        'python "$ODDJET"/workflow/scripts/quantize_bundle.py --method {wildcards.method:q} --models {input.models:q}'
        " --validation {input.validation:q} --test {input.test:q} --signals {params.signals:q}"
        " --points {params.points:q} --output-dir {params.folder:q} > {log:q} 2>&1"


rule write_submission:
    input:
        auc=lambda wildcards: PLAN.method_tables(wildcards.analysis, "auc"),
        merit=lambda wildcards: PLAN.method_tables(wildcards.analysis, "merit"),
        cards=lambda wildcards: [
            f"results/{wildcards.analysis}/bundle/{method}/card.json"
            for method in exported(ANALYSES[wildcards.analysis].methods)
        ],
    output:
        "results/{analysis}/hepdata/submission.tar.gz",
    log:
        "results/logs/write_submission/{analysis}.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(1000, 30),
    params:
        code=code_digest("write_submission"),
    message:
        "Write the tables of {wildcards.analysis} for HEPData"
    shell:
        'python "$ODDJET"/workflow/scripts/write_submission.py --auc {input.auc:q} --merit {input.merit:q}'
        " --cards {input.cards:q} --output {output:q} > {log:q} 2>&1"
