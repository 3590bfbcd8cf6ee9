# Before any training, so that too few jets of a sample are told as soon as they are counted.
rule extract_features:
    input:
        lambda wildcards: PLAN.local_candidates(wildcards.sample, wildcards.file),
    output:
        "results/tables/{sample}/{file}.h5",
    log:
        "results/logs/extract_features/{sample}/{file}.log",
    benchmark:
        "results/benchmarks/extract_features/{sample}/{file}.tsv"
    priority: 10
    conda:
        "../envs/features.yaml"
    resources:
        **grown(3000, 120),
    params:
        settings=CONFIG.features.model_dump_json(),
        file=lambda wildcards: PLAN.candidates(wildcards.sample, wildcards.file),
        require_match=lambda wildcards: SAMPLES[wildcards.sample].require_match,
        weight=lambda wildcards: SAMPLES[wildcards.sample].weight,
        code=code_digest("extract_features"),
    message:
        "Extract the features of {wildcards.sample}, file {wildcards.file}"
    shell:
        'python "$ODDJET"/workflow/scripts/extract_features.py --settings {params.settings:q} --sample {wildcards.sample:q}'
        " --require-match {params.require_match} --weight {params.weight} --input {params.file:q}"
        " --output {output:q} > {log:q} 2>&1"


# Reads a few attributes of each table: a Slurm job would take longer to start.
localrules:
    check_cutflow,


rule check_cutflow:
    input:
        lambda wildcards: PLAN.analysis_tables(wildcards.analysis),
    output:
        cutflow="results/{analysis}/cutflow.json",
        bad_files="results/{analysis}/bad_files.json",
    log:
        "results/logs/check_cutflow/{analysis}.log",
    priority: 10
    conda:
        "../envs/features.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=CONFIG.features.model_dump_json(),
        parts=lambda wildcards: PLAN.analysis_files(wildcards.analysis),
        kinds=lambda wildcards: [
            *("--backgrounds", *ANALYSES[wildcards.analysis].background),
            *("--signals", *ANALYSES[wildcards.analysis].signals),
            "--minimum-signal-jets",
            ANALYSES[wildcards.analysis].evaluation.minimum_signal_jets,
        ],
        code=code_digest("check_cutflow"),
    message:
        "Check that no event is lost and every sample of {wildcards.analysis} has jets, and list the files that were skipped"
    shell:
        'python "$ODDJET"/workflow/scripts/check_cutflow.py --settings {params.settings:q} --folder results/tables'
        " --parts {params.parts:q} {params.kinds:q} --cutflow {output.cutflow:q} --bad-files {output.bad_files:q} > {log:q} 2>&1"
