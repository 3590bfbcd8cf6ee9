# Jet images of the three samples, distances between them, references and their scores; `snakemake images` makes all.
IMAGE_SAMPLES = CONFIG.images.samples
try:
    # Part name to the ROOT file behind it, by sample; None where Pythia makes the file.
    IMAGE_PARTS = {
        name: (
            part_files(sample.files)
            if sample.files
            else dict.fromkeys(f"{part:04d}" for part in range(sample.parts))
        )
        for name, sample in IMAGE_SAMPLES.items()
    }
except OddjetError as error:
    raise WorkflowError(f"images.samples: {error}") from None


# What `snakemake images` makes; vae.smk adds to it.
IMAGE_RESULTS = []


def image_candidates(sample):
    return [
        f"results/images/simulated/{sample}/{part}.root" if file is None else file
        for part, file in IMAGE_PARTS[sample].items()
    ]


def image_files(part, samples=tuple(IMAGE_SAMPLES)):
    return [f"results/images/jets/{sample}/{part}.h5" for sample in samples]


use rule simulate_sample as simulate_image_sample with:
    output:
        "results/images/simulated/{sample}/{part}.root",
    log:
        "results/logs/simulate_image_sample/{sample}/{part}.log",
    benchmark:
        "results/benchmarks/simulate_image_sample/{sample}/{part}.tsv"
    wildcard_constraints:
        sample=any_of(IMAGE_SAMPLES),
    params:
        settings=CONFIG.simulation.model_dump_json(),
        process=lambda wildcards: IMAGE_SAMPLES[
            wildcards.sample
        ].process.model_dump_json(),
        numbers=lambda wildcards: (
            f"--part {int(wildcards.part)} --seed {CONFIG.seed}"
            f" --events {IMAGE_SAMPLES[wildcards.sample].events_of(int(wildcards.part))}"
        ),
        code=code_digest("simulate_sample"),
    message:
        "Simulate {wildcards.sample} for the images, part {wildcards.part}"


rule make_images:
    input:
        lambda wildcards: [
            file for file in image_candidates(wildcards.sample) if not is_remote(file)
        ],
    output:
        train="results/images/jets/{sample}/train.h5",
        validation="results/images/jets/{sample}/validation.h5",
        test="results/images/jets/{sample}/test.h5",
    log:
        "results/logs/make_images/{sample}.log",
    benchmark:
        "results/benchmarks/make_images/{sample}.tsv"
    wildcard_constraints:
        sample=any_of(IMAGE_SAMPLES),
    conda:
        "../envs/features.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        settings=CONFIG.images.jets.model_dump_json(),
        files=lambda wildcards: image_candidates(wildcards.sample),
        require_match=lambda wildcards: IMAGE_SAMPLES[wildcards.sample].require_match,
        code=code_digest("make_images"),
    message:
        "Images of {wildcards.sample}"
    shell:
        "python workflow/scripts/make_images.py --settings {params.settings:q} --inputs {params.files:q}"
        " --require-match {params.require_match} --train {output.train:q} --validation {output.validation:q}"
        " --test {output.test:q} > {log:q} 2>&1"


IMAGE_RESULTS += image_files("test")
