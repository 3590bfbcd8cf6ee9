# What the rules of image_scores.smk ask the configuration for.
IMAGE_METHODS = CONFIG.images.methods
MEDOID_METHODS = CONFIG.images.medoid_methods()
VAE_METHODS = CONFIG.images.vae_methods()
for name in IMAGE_METHODS:
    if name in CONFIG.methods:
        raise WorkflowError(
            f"images.methods: {name!r} is also one of `methods`; give it another name"
        )
ALL_METHODS = [*CONFIG.methods, *IMAGE_METHODS]
# Their loss is approximate transport; scores are exact.
APPROXIMATE = [
    *CONFIG.approximate(),
    *(name for name, method in VAE_METHODS.items() if method.metric.startswith("wass")),
]


def grid_images(samples):
    return [
        f"results/jets/images/{sample}/{part}.h5"
        for sample in samples
        for part in PARTS[sample]
    ]


def scored_images():
    return grid_images([*CONFIG.of_kind("background"), *CONFIG.of_kind("signal")])


# Of the settings what a training of this seed reads, as for the VAEs of `snakemake images`.
def vae_method_training(wildcards):
    method = VAE_METHODS[wildcards.method]
    return vae_settings(
        method.metric,
        method.model_dump(include={"train_jets", "epochs", "batch_size"}),
        seed=int(wildcards.seed),
    )


def vae_method_models(wildcards):
    return [
        f"results/jets/models/{wildcards.method}/seed-{seed}/beta-{beta:g}/model.pt"
        for seed in GROUPS[wildcards.group]
        for beta in VAE_METHODS[wildcards.method].betas
    ]
