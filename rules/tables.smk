# A rule for each batch of files; those of a batch that were made as they would be today stay. Before any training, so
# that too few jets of a sample are told as soon as they are counted.
for batch in asked_for(PLAN.batches, "extract_features"):

    rule:
        name:
            f"extract_features_{batch.name}"
        input:
            [path for file in batch.files for path in PLAN.local_candidates(*file)],
            golden_json=PLAN.golden_json(batch.files[0][0]),
            payloads=PLAN.payloads(*(sample for sample, _ in batch.files)),
        output:
            update(batch.paths("results/tables", "h5")),
        log:
            f"results/logs/extract_features/{batch.place}.log",
        benchmark:
            f"results/benchmarks/extract_features/{batch.place}.tsv"
        priority: 10
        conda:
            "../envs/jets.yaml"
        resources:
            **grown(3000, 120),
        params:
            settings=CONFIG.features.model_dump_json(),
            # One string, as of the simulation.
            files=shlex.join(
                word
                for sample, file in batch.files
                for word in (
                    *("+", "--sample", sample),
                    *("--require-match", SAMPLES[sample].require_match),
                    *("--weight", str(SAMPLES[sample].weight), "--selection"),
                    SAMPLES[sample].own_selection().model_dump_json(),
                    *own_corrections(sample),
                    *("--input", placed(PLAN.candidates(sample, file))),
                    *("--output", placed(f"results/tables/{sample}/{file}.h5")),
                )
            ),
            code=code_digest("extract_features"),
        message:
            f"Extract the features of {batch}"
        shell:
            'python "$ODDJET"/workflow/scripts/extract_features.py --settings {params.settings:q} {params.files}'
            " > {log:q} 2>&1"


# Snakemake puts the function of each rule among the names of the workflow, looks none up there, and copies all of them for
# each text of each job: with a rule a batch, that is most of a plan of 10^4 files.
for name in [
    name
    for name in globals()
    if name.startswith(tuple(f"__{stage}_" for stage in STAGES))
]:
    del globals()[name]


# Reads a few attributes of each table: a Slurm job would take longer to start.
localrules:
    check_cutflow,


rule check_cutflow:
    input:
        lambda wildcards: PLAN.analysis_tables(wildcards.analysis),
    output:
        cutflow="results/{analysis}/cutflow.json",
        bad_files="results/{analysis}/bad_files.json",
        blocks="results/{analysis}/luminosity_blocks.json",
    log:
        "results/logs/check_cutflow/{analysis}.log",
    priority: 10
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 60),
    params:
        settings=CONFIG.features.model_dump_json(),
        parts=lambda wildcards: PLAN.analysis_files(wildcards.analysis),
        kinds=lambda wildcards: [
            *("--backgrounds", *ANALYSES[wildcards.analysis].backgrounds),
            *("--signals", *ANALYSES[wildcards.analysis].signals),
            "--minimum-signal-jets",
            ANALYSES[wildcards.analysis].evaluation.minimum_signal_jets,
        ],
        code=code_digest("check_cutflow"),
    message:
        "Check that no event is lost and every sample of {wildcards.analysis} has jets, and list the files that were skipped"
    shell:
        'python "$ODDJET"/workflow/scripts/check_cutflow.py --settings {params.settings:q} --folder results/tables'
        " --parts {params.parts:q} {params.kinds:q} --cutflow {output.cutflow:q} --bad-files {output.bad_files:q}"
        " --blocks {output.blocks:q} > {log:q} 2>&1"
