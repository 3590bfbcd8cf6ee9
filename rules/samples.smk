# A rule for each batch of files, of the samples and of those of the images. Files of a batch that are there and were made
# as they would be today stay (update, and oddjet.batches).
for stage, folder, samples, batch in (
    *(
        ("simulate_sample", "samples", SAMPLES, batch)
        for batch in asked_for(PLAN.batches, "simulate_sample")
        if PLAN.simulated(batch.files[0][0])
    ),
    *(
        ("simulate_image_sample", "images/samples", CONFIG.images.samples, batch)
        for batch in asked_for(
            IMAGES.batches(CONFIG.files_per_job), "simulate_image_sample"
        )
    ),
):

    rule:
        name:
            f"{stage}_{batch.name}"
        output:
            update(batch.paths(f"results/{folder}", "root")),
        log:
            f"results/logs/{stage}/{batch.place}.log",
        benchmark:
            f"results/benchmarks/{stage}/{batch.place}.tsv"
        priority: 10  # as of the features
        conda:
            "../envs/jets.yaml"
        resources:
            **grown(2000, 120),
        params:
            settings=CONFIG.simulation.model_dump_json(),
            # One string: Snakemake compares the set of values, in which two numbers that trade places are the same.
            files=shlex.join(
                word
                for sample, file in batch.files
                for word in (
                    *("+", "--sample", sample, "--process"),
                    samples[sample].process.model_dump_json(),
                    *("--part", str(int(file)), "--seed", str(CONFIG.seed)),
                    *("--events", str(samples[sample].events_of(int(file)))),
                    *("--output", placed(f"results/{folder}/{sample}/{file}.root")),
                )
            ),
            code=code_digest("simulate_sample"),
        message:
            f"Simulate {batch}"
        shell:
            'python "$ODDJET"/workflow/scripts/simulate_sample.py --settings {params.settings:q} {params.files}'
            " > {log:q} 2>&1"
