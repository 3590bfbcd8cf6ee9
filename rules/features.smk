# Before any training, so that too few jets of a sample are told as soon as they are counted.
rule extract_features:
    input:
        local_candidates_of,
    output:
        "results/tables/{sample}/{part}.h5",
    log:
        "results/logs/extract_features/{sample}/{part}.log",
    benchmark:
        "results/benchmarks/extract_features/{sample}/{part}.tsv"
    priority: 10
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(120),
    params:
        settings=CONFIG.features.model_dump_json(),
        file=candidates_of,
        require_match=lambda wildcards: SAMPLES[wildcards.sample].require_match,
        weight=lambda wildcards: SAMPLES[wildcards.sample].weight,
        code=code_digest("extract_features"),
    message:
        "Extract the features of {wildcards.sample}, part {wildcards.part}"
    shell:
        'python "$ODDJET"/workflow/scripts/extract_features.py --settings {params.settings:q} --sample {wildcards.sample:q}'
        " --require-match {params.require_match} --weight {params.weight} --input {params.file:q}"
        " --output {output:q} > {log:q} 2>&1"


# Reads a few attributes of each table: a Slurm job would take longer to start.
localrules:
    check_cutflow,


# What figure 13 of the paper trains on has a check of its own (check_reversed): it changes nothing of the other analyses.
CHECKED = [name for name in SAMPLES if name not in CONFIG.of_kind("reversed")]


rule check_cutflow:
    input:
        [path for name in CHECKED for path in feature_tables(name)],
    output:
        cutflow="results/jets/cutflow.json",
        bad_files="results/jets/bad_files.json",
    log:
        "results/logs/check_cutflow.log",
    benchmark:
        "results/benchmarks/check_cutflow.tsv"
    priority: 10
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        settings=CONFIG.features.model_dump_json(),
        parts=[f"{name}={','.join(PARTS[name])}" for name in CHECKED],
        kinds=[
            *("--backgrounds", *CONFIG.of_kind("background")),
            *("--signals", *CONFIG.of_kind("signal")),
            *("--minimum-signal-jets", CONFIG.evaluation.minimum_signal_jets),
        ],
        code=code_digest("check_cutflow"),
    message:
        "Check that no event is lost and every sample has jets, and list the files that were skipped"
    shell:
        'python "$ODDJET"/workflow/scripts/check_cutflow.py --settings {params.settings:q} --folder results/tables'
        " --parts {params.parts:q} {params.kinds:q} --cutflow {output.cutflow:q} --bad-files {output.bad_files:q} > {log:q} 2>&1"
