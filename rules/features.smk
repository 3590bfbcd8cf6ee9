rule extract_features:
    input:
        local_candidates_of,
    output:
        "results/features/{sample}/{part}.h5",
    log:
        "results/logs/extract_features/{sample}/{part}.log",
    benchmark:
        "results/benchmarks/extract_features/{sample}/{part}.tsv"
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        settings=CONFIG.features.model_dump_json(),
        file=candidates_of,
        require_match=lambda wildcards: SAMPLES[wildcards.sample].require_match,
        weight=lambda wildcards: SAMPLES[wildcards.sample].weight,
        code=code_digest("extract_features"),
    message:
        "Extract the features of {wildcards.sample}, part {wildcards.part}"
    shell:
        "python workflow/scripts/extract_features.py --settings {params.settings:q} --sample {wildcards.sample:q}"
        " --require-match {params.require_match} --weight {params.weight} --input {params.file:q}"
        " --output {output:q} > {log:q} 2>&1"
