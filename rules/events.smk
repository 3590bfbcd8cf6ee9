# Whole events: samples, inputs, autoencoders; `snakemake events` makes all. event_scores.smk compares the scores.
include: "event_inputs.smk"


# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    mix_events,
    gather_events,
    build_event_table,


rule simulate_events:
    output:
        "results/events/samples/{sample}/{part}.h5",
    log:
        "results/logs/simulate_events/{sample}/{part}.log",
    benchmark:
        "results/benchmarks/simulate_events/{sample}/{part}.tsv"
    wildcard_constraints:
        sample=any_of(EVENTS.samples()),
    conda:
        "../envs/events.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(120),
    params:
        settings=EVENTS.objects.model_dump_json(),
        simulation=CONFIG.simulation.model_dump_json(),
        process=lambda wildcards: EVENTS.samples()[wildcards.sample].process,
        # One string: Snakemake compares the set of values, in which two numbers that trade places are the same.
        numbers=lambda wildcards: (
            f"--part {int(wildcards.part)} --seed {CONFIG.seed}"
            f" --events {EVENTS.events_of_part(wildcards.sample, int(wildcards.part))}"
        ),
        code=code_digest("simulate_events"),
    message:
        "Simulate events of {wildcards.sample}, part {wildcards.part}"
    shell:
        'python "$ODDJET"/workflow/scripts/simulate_events.py --settings {params.settings:q} --simulation {params.simulation:q}'
        " --sample {wildcards.sample:q} --process {params.process:q} {params.numbers}"
        " --output {output:q} > {log:q} 2>&1"


rule mix_events:
    input:
        [file for name in EVENTS.background for file in EVENT_FILES[name]],
    output:
        train="results/events/tables/background_train.h5",
        validation="results/events/tables/background_validation.h5",
        test="results/events/tables/background_test.h5",
    log:
        "results/logs/mix_events.log",
    benchmark:
        "results/benchmarks/mix_events.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(30),
    params:
        settings=EVENTS.sizes.model_dump_json(exclude={"signal"}),
        inputs=json.dumps({name: EVENT_FILES[name] for name in EVENTS.background}),
        fractions=json.dumps(EVENTS.fractions),
        seed=f"--seed {CONFIG.seed}",
        code=code_digest("mix_events"),
    message:
        "Mix the background of the events"
    shell:
        'python "$ODDJET"/workflow/scripts/mix_events.py --settings {params.settings:q} --inputs {params.inputs:q}'
        " --fractions {params.fractions:q} {params.seed} --train {output.train:q}"
        " --validation {output.validation:q} --test {output.test:q} > {log:q} 2>&1"


rule gather_events:
    input:
        lambda wildcards: EVENT_FILES[wildcards.signal],
    output:
        "results/events/tables/{signal}.h5",
    log:
        "results/logs/gather_events/{signal}.log",
    benchmark:
        "results/benchmarks/gather_events/{signal}.tsv"
    wildcard_constraints:
        signal=any_of(EVENT_SIGNALS),
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(30),
    params:
        events=f"--events {EVENTS.sizes.signal}",
        code=code_digest("gather_events"),
    message:
        "Gather the events of {wildcards.signal}"
    shell:
        'python "$ODDJET"/workflow/scripts/gather_events.py --sample {wildcards.signal:q} {params.events} --inputs {input:q}'
        " --output {output:q} > {log:q} 2>&1"


rule build_event_table:
    input:
        event_input("background_train"),
        event_input("background_validation"),
    output:
        train="results/events/dataset/train.h5",
        validation="results/events/dataset/validation.h5",
        scaler="results/events/dataset/scaler.json",
    log:
        "results/logs/build_event_table.log",
    benchmark:
        "results/benchmarks/build_event_table.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(30),
    params:
        settings=EVENTS.table.model_dump_json(),
        objects=EVENTS.objects.model_dump_json(),
        code=code_digest("build_event_table"),
    message:
        "Turn the background's events into the inputs of the autoencoders"
    shell:
        'python "$ODDJET"/workflow/scripts/build_event_table.py --settings {params.settings:q} --objects {params.objects:q}'
        " --inputs {input:q} --train {output.train:q} --validation {output.validation:q}"
        " --scaler {output.scaler:q} > {log:q} 2>&1"


# The program, the losses and the files are those of the jets.
use rule train_model as train_event_model with:
    input:
        train="results/events/dataset/train.h5",
        validation="results/events/dataset/validation.h5",
        scaler="results/events/dataset/scaler.json",
    output:
        model="results/events/models/{method}/{group}/model.pt",
        history="results/events/models/{method}/{group}/history.csv",
        snapshots="results/events/models/{method}/{group}/snapshots.pt",
    log:
        "results/logs/train_event_model/{method}/{group}.log",
    benchmark:
        "results/benchmarks/train_event_model/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(EVENTS.methods),
    resources:
        mem_mb=grown(3000),
        runtime=grown(120),
    params:
        settings=lambda wildcards: EVENTS.methods[wildcards.method].model_dump_json(),
        seeds=lambda wildcards: GROUPS[wildcards.group],
        folder=lambda wildcards, output: str(Path(output.model).parent),
        code=lambda wildcards: code_digest(
            "train_model", OBJECTIVES[EVENTS.methods[wildcards.method].kind]
        ),
    message:
        "Train {wildcards.method} on whole events, seeds {params.seeds}"


rule score_events:
    input:
        models=lambda wildcards: event_models(wildcards.method),
        background=event_input("background_test"),
        signals=[event_input(name) for name in EVENT_SIGNALS],
    output:
        "results/events/scores/{method}.h5",
    log:
        "results/logs/score_events/{method}.log",
    benchmark:
        "results/benchmarks/score_events/{method}.tsv"
    wildcard_constraints:
        method=any_of(EVENTS.methods),
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(60),
    params:
        signals=[f"{name}={event_input(name)}" for name in EVENT_SIGNALS],
        code=code_digest("score_events"),
    message:
        "Score whole events with {wildcards.method}"
    shell:
        'python "$ODDJET"/workflow/scripts/score_events.py --models {input.models:q} --background {input.background:q}'
        " --signals {params.signals:q} --output {output:q} > {log:q} 2>&1"
