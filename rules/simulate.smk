rule simulate_sample:
    output:
        "results/simulated/{sample}/{part}.root",
    log:
        "results/logs/simulate_sample/{sample}/{part}.log",
    benchmark:
        "results/benchmarks/simulate_sample/{sample}/{part}.tsv"
    conda:
        "../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        settings=CONFIG.simulation.model_dump_json(),
        process=lambda wildcards: SAMPLES[wildcards.sample].process.model_dump_json(),
        events=lambda wildcards: SAMPLES[wildcards.sample].events_of(
            int(wildcards.part)
        ),
        part=lambda wildcards: int(wildcards.part),
        seed=CONFIG.seed,
        code=code_digest("simulate_sample"),
    message:
        "Simulate {params.events} events of {wildcards.sample}, part {wildcards.part}"
    shell:
        "python workflow/scripts/simulate_sample.py --settings {params.settings:q} --sample {wildcards.sample:q}"
        " --process {params.process:q} --part {params.part} --events {params.events} --seed {params.seed}"
        " --output {output:q} > {log:q} 2>&1"
