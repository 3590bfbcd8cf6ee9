# No signal among the inputs, by construction: a signal table can choose neither an epoch nor a setting.
rule train_model:
    input:
        train=split("train"),
        validation=split("validation"),
        scaler=scaler,
    output:
        model="results/{analysis}/models/{method}/{group}/model.pt",
        history="results/{analysis}/models/{method}/{group}/history.csv",
        snapshots="results/{analysis}/models/{method}/{group}/snapshots.pt",
    log:
        "results/logs/train_model/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/train_model/{analysis}/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(trained(PLAN.methods)),
    conda:
        "../envs/train.yaml"
    resources:
        **grown(4000, 1440),
    params:
        settings=method_settings,
        seeds=seeds,
        folder=folder_of("model"),
        # The module of the method's kind is imported by name; of the others' an edit does not count.
        code=lambda wildcards: code_digest(
            "train_model", *kind_modules(PLAN.methods, [wildcards.method])
        ),
    message:
        "Train {wildcards.method} of {wildcards.analysis}, seeds {params.seeds}"
    shell:
        # exec: a shell in between would die of the signal that tells the training to keep its epoch and stop.
        'exec python "$ODDJET"/workflow/scripts/train_model.py --settings {params.settings:q} --method {wildcards.method:q}'
        " --seeds {params.seeds} --threads {threads} --train {input.train:q} --validation {input.validation:q}"
        " --scaler {input.scaler:q} --output-dir {params.folder:q} > {log:q} 2>&1"


# Baselines: the same inputs and outputs as a training, so everything after it is the same for both.
rule fit_baseline:
    input:
        train=split("train"),
        validation=split("validation"),
        scaler=scaler,
    output:
        model="results/{analysis}/models/{method}/{group}/model.pt",
        history="results/{analysis}/models/{method}/{group}/history.csv",
        snapshots="results/{analysis}/models/{method}/{group}/snapshots.pt",
    log:
        "results/logs/fit_baseline/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/fit_baseline/{analysis}/{method}/{group}.tsv"
    wildcard_constraints:
        method=any_of(baselines(PLAN.methods)),
    conda:
        "../envs/train.yaml"
    resources:
        **grown(4000, 120),
    params:
        settings=method_settings,
        seeds=seeds,
        folder=folder_of("model"),
        code=lambda wildcards: code_digest(
            "fit_baseline", *kind_modules(PLAN.methods, [wildcards.method])
        ),
    message:
        "Fit {wildcards.method} of {wildcards.analysis}, seeds {params.seeds}"
    shell:
        # exec: as above; the networks among the baselines keep their epoch, too.
        'exec python "$ODDJET"/workflow/scripts/fit_baseline.py --settings {params.settings:q} --method {wildcards.method:q}'
        " --seeds {params.seeds} --train {input.train:q} --validation {input.validation:q}"
        " --scaler {input.scaler:q} --output-dir {params.folder:q} > {log:q} 2>&1"


rule monitor_training:
    input:
        snapshots="results/{analysis}/models/{method}/{group}/snapshots.pt",
        background=split("validation"),
        signals=signal_tables,
        # Nothing is reported of samples that lost events; and what the check runs again for is seen in the same call:
        # through the input of the dataset that is `ancient` Snakemake passes on no rerun.
        cutflow=cutflow,
    output:
        "results/{analysis}/models/{method}/{group}/auc_by_epoch.csv",
    log:
        "results/logs/monitor_training/{analysis}/{method}/{group}.log",
    benchmark:
        "results/benchmarks/monitor_training/{analysis}/{method}/{group}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **grown(3000, 120),
    params:
        settings=evaluation,
        signals=signal_arguments,
        points=points,
        code=lambda wildcards: code_digest(
            "monitor_training", *loaded_modules(PLAN.methods, [wildcards.method])
        ),
    message:
        "AUC by epoch of {wildcards.method} of {wildcards.analysis}, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/monitor_training.py --settings {params.settings:q} --snapshots {input.snapshots:q}'
        " --background {input.background:q} --signals {params.signals:q} --points {params.points:q}"
        " --output {output:q} > {log:q} 2>&1"
