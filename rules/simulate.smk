rule simulate_sample:
    output:
        "results/samples/{sample}/{part}.root",
    log:
        "results/logs/simulate_sample/{sample}/{part}.log",
    benchmark:
        "results/benchmarks/simulate_sample/{sample}/{part}.tsv"
    priority: 10  # as extract_features
    conda:
        "../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(120),
    params:
        settings=CONFIG.simulation.model_dump_json(),
        process=lambda wildcards: SAMPLES[wildcards.sample].process.model_dump_json(),
        # One string: Snakemake compares the set of values, in which two numbers that trade places are the same.
        numbers=lambda wildcards: (
            f"--part {int(wildcards.part)} --seed {CONFIG.seed}"
            f" --events {SAMPLES[wildcards.sample].events_of(int(wildcards.part))}"
        ),
        code=code_digest("simulate_sample"),
    message:
        "Simulate {wildcards.sample}, part {wildcards.part}"
    shell:
        'python "$ODDJET"/workflow/scripts/simulate_sample.py --settings {params.settings:q} --sample {wildcards.sample:q}'
        " --process {params.process:q} {params.numbers}"
        " --output {output:q} > {log:q} 2>&1"
