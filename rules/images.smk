# Jet images of the three samples, distances between them, references and their scores; `snakemake images` makes all.


rule make_images:
    input:
        lambda wildcards: [
            file for file in IMAGES.candidates(wildcards.sample) if not is_remote(file)
        ],
        payloads=lambda wildcards: IMAGES.payloads(wildcards.sample),
    output:
        train="results/images/tables/{sample}/train.h5",
        validation="results/images/tables/{sample}/validation.h5",
        test="results/images/tables/{sample}/test.h5",
    log:
        "results/logs/make_images/{sample}.log",
    benchmark:
        "results/benchmarks/make_images/{sample}.tsv"
    wildcard_constraints:
        sample=any_of(CONFIG.images.samples),
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(3000, 120),
    params:
        settings=CONFIG.images.jets.model_dump_json(),
        files=lambda wildcards: IMAGES.candidates(wildcards.sample),
        options=lambda wildcards: IMAGES.making(wildcards.sample),
        code=code_digest("make_images"),
    message:
        "Images of {wildcards.sample}"
    shell:
        'python "$ODDJET"/workflow/scripts/make_images.py --settings {params.settings:q} --inputs {params.files:q}'
        " {params.options:q} --train {output.train:q} --validation {output.validation:q}"
        " --test {output.test:q} > {log:q} 2>&1"


rule compute_distances:
    input:
        "results/images/tables/{sample}/{split}.h5",
    output:
        "results/images/distances/{sample}/{split}/{metric}.h5",
    log:
        "results/logs/compute_distances/{sample}/{split}/{metric}.log",
    benchmark:
        "results/benchmarks/compute_distances/{sample}/{split}/{metric}.tsv"
    wildcard_constraints:
        sample=any_of(CONFIG.images.samples),
        split="train|test",
        metric=METRIC,
    conda:
        "../envs/jets.yaml"
    threads: 2
    resources:
        **grown(3000, 60),
    params:
        settings=CONFIG.images.distances.model_dump_json(),
        code=code_digest("compute_distances"),
    message:
        "Distances {wildcards.metric} between jets of {wildcards.sample}, {wildcards.split}"
    shell:
        'python "$ODDJET"/workflow/scripts/compute_distances.py --settings {params.settings:q} --images {input:q}'
        " --metric {wildcards.metric} --threads {threads} --output {output:q} > {log:q} 2>&1"


# Seconds of work each: on a cluster too they run where Snakemake runs.
localrules:
    find_medoids,
    summarize_images,
    plot_references,


rule find_medoids:
    input:
        "results/images/distances/{sample}/train/{metric}.h5",
    output:
        "results/images/medoids/{sample}/{metric}.json",
    log:
        "results/logs/find_medoids/{sample}/{metric}.log",
    wildcard_constraints:
        sample=any_of(CONFIG.images.samples),
        metric=METRIC,
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 30),
    params:
        settings=CONFIG.images.medoids.model_dump_json(),
        code=code_digest("find_medoids"),
    message:
        "Medoids of {wildcards.sample} by {wildcards.metric}"
    shell:
        'python "$ODDJET"/workflow/scripts/find_medoids.py --settings {params.settings:q} --distances {input:q}'
        " --output {output:q} > {log:q} 2>&1"


rule measure_ensembles:
    input:
        medoids="results/images/medoids/{sample}/{metric}.json",
        images="results/images/tables/{sample}/train.h5",
        tests=IMAGES.tables("test"),
    output:
        "results/images/ensembles/{sample}/{metric}.h5",
    log:
        "results/logs/measure_ensembles/{sample}/{metric}.log",
    benchmark:
        "results/benchmarks/measure_ensembles/{sample}/{metric}.tsv"
    wildcard_constraints:
        sample=any_of(CONFIG.images.samples),
        metric=METRIC,
    conda:
        "../envs/jets.yaml"
    threads: 2
    resources:
        **grown(3000, 120),
    params:
        settings=CONFIG.images.distances.model_dump_json(),
        tests=IMAGES.arguments("test"),
        code=code_digest("measure_ensembles"),
    message:
        "Distances {wildcards.metric} of test jets to reference jets of {wildcards.sample}"
    shell:
        'python "$ODDJET"/workflow/scripts/measure_ensembles.py --settings {params.settings:q} --reference {wildcards.sample:q}'
        " --medoids {input.medoids:q} --images {input.images:q} --tests {params.tests:q} --threads {threads}"
        " --output {output:q} > {log:q} 2>&1"


rule summarize_images:
    input:
        tests=IMAGES.tables("test"),
        measured=IMAGES.of_references("ensembles", "h5"),
        medoids=IMAGES.of_references("medoids", "json"),
        distances=IMAGES.compared_distances(),
    output:
        table="results/images/ensembles.csv",
        summary="results/images/summary.md",
    log:
        "results/logs/summarize_images.log",
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 30),
    params:
        background=CONFIG.images.background,
        tests=IMAGES.arguments("test"),
        code=code_digest("summarize_images"),
    message:
        "Table of the event-to-ensemble distances"
    shell:
        'python "$ODDJET"/workflow/scripts/summarize_images.py --background {params.background:q} --tests {params.tests:q}'
        " --measured {input.measured:q} --medoids {input.medoids:q} --distances {input.distances:q}"
        " --table {output.table:q} --summary {output.summary:q} > {log:q} 2>&1"


rule plot_references:
    input:
        medoids="results/images/medoids/{sample}/{metric}.json",
        images="results/images/tables/{sample}/train.h5",
    output:
        pdf="results/images/figures/references_{sample}_{metric}.pdf",
        png=reported(
            "results/images/figures/references_{sample}_{metric}.png",
            "references",
            "images",
            "reference jets by {metric}",
            "{sample}",
        ),
    log:
        "results/logs/plot_references/{sample}/{metric}.log",
    wildcard_constraints:
        sample=any_of(CONFIG.images.samples),
        metric=METRIC,
    conda:
        "../envs/jets.yaml"
    resources:
        **grown(2000, 30),
    params:
        label=label,
        code=code_digest("plot_references"),
    message:
        "Elbow, average image and medoids of {wildcards.sample} by {wildcards.metric}"
    shell:
        'python "$ODDJET"/workflow/scripts/plot_references.py --medoids {input.medoids:q} --images {input.images:q}'
        " --sample {wildcards.sample:q} --label {params.label:q} --output {output:q} > {log:q} 2>&1"
