# No signal among the inputs, by construction: a signal table can choose neither an epoch nor a setting.
rule train_model:
    input:
        train="results/jets/dataset/train.h5",
        validation="results/jets/dataset/validation.h5",
        scaler="results/jets/dataset/scaler.json",
    output:
        model="results/jets/models/{method}/{group}/model.pt",
        history="results/jets/models/{method}/{group}/history.csv",
        snapshots="results/jets/models/{method}/{group}/snapshots.pt",
    log:
        "results/logs/train_model/{method}/{group}.log",
    benchmark:
        "results/benchmarks/train_model/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(CONFIG.trained()),
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=grown(1440),
    params:
        settings=lambda wildcards: CONFIG.methods[wildcards.method].model_dump_json(),
        seeds=lambda wildcards: GROUPS[wildcards.group],
        folder=lambda wildcards, output: str(Path(output.model).parent),
        # The module of the method's loss is imported by name; of the others' an edit does not count.
        code=lambda wildcards: code_digest(
            "train_model", OBJECTIVES[CONFIG.methods[wildcards.method].kind]
        ),
    message:
        "Train {wildcards.method}, seeds {params.seeds}"
    shell:
        # exec: a shell in between would die of the signal that tells the training to keep its epoch and stop.
        'exec python "$ODDJET"/workflow/scripts/train_model.py --settings {params.settings:q} --method {wildcards.method:q}'
        " --seeds {params.seeds} --threads {threads} --train {input.train:q} --validation {input.validation:q}"
        " --scaler {input.scaler:q} --output-dir {params.folder:q} > {log:q} 2>&1"


# Baselines: the same inputs and outputs as a training, so everything after it is the same for both.
rule fit_baseline:
    input:
        train="results/jets/dataset/train.h5",
        validation="results/jets/dataset/validation.h5",
        scaler="results/jets/dataset/scaler.json",
    output:
        model="results/jets/models/{method}/{group}/model.pt",
        history="results/jets/models/{method}/{group}/history.csv",
        snapshots="results/jets/models/{method}/{group}/snapshots.pt",
    log:
        "results/logs/fit_baseline/{method}/{group}.log",
    benchmark:
        "results/benchmarks/fit_baseline/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(CONFIG.baselines()),
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=grown(120),
    params:
        settings=lambda wildcards: CONFIG.methods[wildcards.method].model_dump_json(),
        seeds=lambda wildcards: GROUPS[wildcards.group],
        folder=lambda wildcards, output: str(Path(output.model).parent),
        code=code_digest("fit_baseline"),
    message:
        "Fit {wildcards.method}, seeds {params.seeds}"
    shell:
        'python "$ODDJET"/workflow/scripts/fit_baseline.py --settings {params.settings:q} --method {wildcards.method:q}'
        " --seeds {params.seeds} --train {input.train:q} --validation {input.validation:q}"
        " --scaler {input.scaler:q} --output-dir {params.folder:q} > {log:q} 2>&1"


rule monitor_training:
    input:
        snapshots="results/jets/models/{method}/{group}/snapshots.pt",
        background="results/jets/dataset/validation.h5",
        signals=signal_tables(),
    output:
        "results/jets/models/{method}/{group}/auc_by_epoch.csv",
    log:
        "results/logs/monitor_training/{method}/{group}.log",
    benchmark:
        "results/benchmarks/monitor_training/{method}/{group}.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(120),
    params:
        settings=CONFIG.evaluation.model_dump_json(),
        signals=signal_arguments(),
        points=signal_points(),
        code=code_digest("monitor_training"),
    message:
        "AUC by epoch of {wildcards.method}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/monitor_training.py --settings {params.settings:q} --snapshots {input.snapshots:q}'
        " --background {input.background:q} --signals {params.signals:q} --points {params.points:q}"
        " --output {output:q} > {log:q} 2>&1"
