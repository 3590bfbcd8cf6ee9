# Which files the rules of images.smk read: samples, images, distances, reference jets.
IMAGE_SAMPLES = CONFIG.images.samples
try:
    IMAGE_LISTED = find_samples(
        {name: sample.files for name, sample in IMAGE_SAMPLES.items() if sample.files},
        "images.samples",
    )
    refuse_shared(
        {
            f"images.samples.{name}": list(found.parts.values())
            for name, found in IMAGE_LISTED.items()
        }
    )
    tell_left_out(IMAGE_LISTED)
except OddjetError as error:
    raise WorkflowError(str(error)) from None
# Part name to the ROOT file behind it, by sample; None where Pythia makes the file.
IMAGE_PARTS = {
    name: (
        IMAGE_LISTED[name].parts
        if sample.files
        else dict.fromkeys(f"{part:04d}" for part in range(sample.parts))
    )
    for name, sample in IMAGE_SAMPLES.items()
}


# What `snakemake images` makes; vae.smk adds to it.
IMAGE_RESULTS = []
METRIC = r"mae|mse|wass\d+(p\d+)?"


def image_candidates(sample):
    return [
        f"results/images/samples/{sample}/{part}.root" if file is None else file
        for part, file in IMAGE_PARTS[sample].items()
    ]


def image_files(part, samples=tuple(IMAGE_SAMPLES)):
    return [f"results/images/tables/{sample}/{part}.h5" for sample in samples]


def image_arguments(part, samples=tuple(IMAGE_SAMPLES)):
    # NAME=FILE: which images are of which sample.
    return [
        f"{name}={path}"
        for name, path in zip(samples, image_files(part, samples), strict=True)
    ]


def ensemble_files(folder, suffix):
    # Of every reference sample and metric, in one order.
    return [
        f"results/images/{folder}/{sample}/{metric}.{suffix}"
        for sample in CONFIG.images.ensembles.references
        for metric in CONFIG.images.ensembles.metrics
    ]


def compared_distances():
    return [
        f"results/images/distances/{CONFIG.images.background}/test/{metric}.h5"
        for metric in CONFIG.images.ensembles.compared
    ]
