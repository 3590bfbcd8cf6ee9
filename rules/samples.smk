rule simulate_sample:
    output:
        "results/samples/{sample}/{file}.root",
    log:
        "results/logs/simulate_sample/{sample}/{file}.log",
    benchmark:
        "results/benchmarks/simulate_sample/{sample}/{file}.tsv"
    priority: 10  # as extract_features
    conda:
        "../envs/simulate.yaml"
    resources:
        **grown(2000, 120),
    params:
        settings=CONFIG.simulation.model_dump_json(),
        process=lambda wildcards: SAMPLES[wildcards.sample].process.model_dump_json(),
        # One string: Snakemake compares the set of values, in which two numbers that trade places are the same.
        numbers=lambda wildcards: (
            f"--part {int(wildcards.file)} --seed {CONFIG.seed}"
            f" --events {SAMPLES[wildcards.sample].events_of(int(wildcards.file))}"
        ),
        code=code_digest("simulate_sample"),
    message:
        "Simulate {wildcards.sample}, file {wildcards.file}"
    shell:
        'python "$ODDJET"/workflow/scripts/simulate_sample.py --settings {params.settings:q} --sample {wildcards.sample:q}'
        " --process {params.process:q} {params.numbers}"
        " --output {output:q} > {log:q} 2>&1"
