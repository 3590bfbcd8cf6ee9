# Whole events: samples, inputs, autoencoders; `snakemake events` makes all. event_scores.smk compares the scores.


# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    mix_events,
    gather_events,
    build_event_table,


rule simulate_events:
    output:
        "results/events/samples/{sample}/{file}.h5",
    log:
        "results/logs/simulate_events/{sample}/{file}.log",
    benchmark:
        "results/benchmarks/simulate_events/{sample}/{file}.tsv"
    wildcard_constraints:
        sample=any_of(EVENTS.settings.samples()),
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 120),
    params:
        settings=EVENTS.settings.objects.model_dump_json(),
        simulation=CONFIG.simulation.model_dump_json(),
        process=lambda wildcards: EVENTS.settings.samples()[wildcards.sample].process,
        # One string: Snakemake compares the set of values, in which two numbers that trade places are the same.
        numbers=lambda wildcards: (
            f"--part {int(wildcards.file)} --seed {CONFIG.seed}"
            f" --events {EVENTS.settings.events_of_part(wildcards.sample, int(wildcards.file))}"
        ),
        code=code_digest("simulate_events"),
    message:
        "Simulate events of {wildcards.sample}, file {wildcards.file}"
    shell:
        'python "$ODDJET"/workflow/scripts/simulate_events.py --settings {params.settings:q} --simulation {params.simulation:q}'
        " --sample {wildcards.sample:q} --process {params.process:q} {params.numbers}"
        " --output {output:q} > {log:q} 2>&1"


rule mix_events:
    input:
        [file for files in EVENTS.background_files().values() for file in files],
    output:
        train="results/events/tables/background_train.h5",
        validation="results/events/tables/background_validation.h5",
        test="results/events/tables/background_test.h5",
    log:
        "results/logs/mix_events.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 30),
    params:
        settings=EVENTS.settings.sizes.model_dump_json(exclude={"signal"}),
        inputs=json.dumps(EVENTS.background_files()),
        fractions=EVENTS.fractions(),
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
        lambda wildcards: EVENTS.files(wildcards.signal),
    output:
        "results/events/tables/{signal}.h5",
    log:
        "results/logs/gather_events/{signal}.log",
    wildcard_constraints:
        signal=any_of(EVENTS.settings.signals),
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 30),
    params:
        events=f"--events {EVENTS.settings.sizes.signal}",
        code=code_digest("gather_events"),
    message:
        "Gather the events of {wildcards.signal}"
    shell:
        'python "$ODDJET"/workflow/scripts/gather_events.py --sample {wildcards.signal:q} {params.events} --inputs {input:q}'
        " --output {output:q} > {log:q} 2>&1"


rule build_event_table:
    input:
        EVENTS.table("background_train"),
        EVENTS.table("background_validation"),
    output:
        train="results/events/dataset/train.h5",
        validation="results/events/dataset/validation.h5",
        scaler="results/events/dataset/scaler.json",
    log:
        "results/logs/build_event_table.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 30),
    params:
        settings=EVENTS.settings.table.model_dump_json(),
        objects=EVENTS.settings.objects.model_dump_json(),
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
        method=any_of(EVENTS.settings.methods),
        group=any_of(EVENTS.groups),
    resources:
        **grown(3000, 120),
    params:
        settings=lambda wildcards: EVENTS.settings.methods[
            wildcards.method
        ].model_dump_json(),
        seeds=lambda wildcards: EVENTS.groups[wildcards.group],
        folder=lambda wildcards, output: str(Path(output.model).parent),
        code=lambda wildcards: code_digest(
            "train_model",
            kind_named(EVENTS.settings.methods[wildcards.method].kind).module,
        ),
    message:
        "Train {wildcards.method} on whole events, seeds {params.seeds}"
