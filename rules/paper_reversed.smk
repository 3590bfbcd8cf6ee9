# Figure 13: the WNAE trained on semivisible jets, a sample of kind `reversed`, and tested on top jets. These rules alone
# train on a signal, and nothing else reads what they make.


localrules:
    build_reversed,
    check_reversed,


use rule check_cutflow as check_reversed with:
    input:
        REVERSED_TABLES,
    output:
        cutflow=f"{REVERSED}/cutflow.json",
        bad_files=f"{REVERSED}/bad_files.json",
    log:
        "results/logs/check_reversed.log",
    benchmark:
        "results/benchmarks/check_reversed.tsv"
    params:
        parts=[f"{name}={','.join(PARTS[name])}" for name in CONFIG.of_kind("reversed")],
        kinds=[],
    message:
        "Check that no event of the semivisible jets to train on is lost"


rule build_reversed:
    input:
        tables=REVERSED_TABLES,
        # Only jets whose events were counted are trained on; that they are counted again changes nothing.
        cutflow=ancient(f"{REVERSED}/cutflow.json"),
    output:
        train=f"{REVERSED}/train.h5",
        validation=f"{REVERSED}/validation.h5",
        test=f"{REVERSED}/test.h5",
        scaler=f"{REVERSED}/scaler.json",
    log:
        "results/logs/build_reversed.log",
    benchmark:
        "results/benchmarks/build_reversed.tsv"
    conda:
        "../envs/dataset.yaml"
    threads: 1
    resources:
        mem_mb=grown(2000),
        runtime=grown(60),
    params:
        settings=CONFIG.dataset.model_dump_json(),
        code=code_digest("build_dataset"),
    message:
        "Split semivisible jets by event, to train on them"
    shell:
        'python "$ODDJET"/workflow/scripts/build_dataset.py --settings {params.settings:q} --inputs {input.tables:q} --of-signal'
        " --train {output.train:q} --validation {output.validation:q} --test {output.test:q}"
        " --scaler {output.scaler:q} > {log:q} 2>&1"


rule train_reversed:
    input:
        train=f"{REVERSED}/train.h5",
        validation=f"{REVERSED}/validation.h5",
        scaler=f"{REVERSED}/scaler.json",
    output:
        model=f"{REVERSED}/wnae/{{group}}/model.pt",
        history=f"{REVERSED}/wnae/{{group}}/history.csv",
        snapshots=f"{REVERSED}/wnae/{{group}}/snapshots.pt",
    log:
        "results/logs/train_reversed/{group}.log",
    benchmark:
        "results/benchmarks/train_reversed/{group}.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=grown(1440),
    params:
        settings=lambda wildcards: CONFIG.methods["wnae"].model_dump_json(),
        seeds=lambda wildcards: GROUPS[wildcards.group],
        folder=lambda wildcards, output: str(Path(output.model).parent),
        code=lambda wildcards: code_digest(
            "train_model", OBJECTIVES[CONFIG.methods["wnae"].kind]
        ),
    message:
        "Train wnae on semivisible jets, seeds {params.seeds}"
    shell:
        # exec: a shell in between would die of the signal that tells the training to keep its epoch and stop.
        'exec python "$ODDJET"/workflow/scripts/train_model.py --settings {params.settings:q} --method wnae'
        " --seeds {params.seeds} --threads {threads} --train {input.train:q} --validation {input.validation:q}"
        " --scaler {input.scaler:q} --output-dir {params.folder:q} > {log:q} 2>&1"


rule monitor_reversed:
    input:
        snapshots=f"{REVERSED}/wnae/{{group}}/snapshots.pt",
        background=f"{REVERSED}/validation.h5",
        signal="results/jets/dataset/test.h5",
    output:
        f"{REVERSED}/wnae/{{group}}/auc_by_epoch.csv",
    log:
        "results/logs/monitor_reversed/{group}.log",
    benchmark:
        "results/benchmarks/monitor_reversed/{group}.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grown(3000),
        runtime=grown(120),
    params:
        settings=CONFIG.evaluation.model_dump_json(),
        code=code_digest("monitor_training"),
    message:
        "AUC of top jets by epoch, trained on semivisible jets, {wildcards.group}"
    shell:
        'python "$ODDJET"/workflow/scripts/monitor_training.py --settings {params.settings:q} --snapshots {input.snapshots:q}'
        " --background {input.background:q} --signals top={input.signal:q} --output {output:q} > {log:q} 2>&1"
