# What the rules of the image VAE ask the configuration for.
VAE = CONFIG.images.vae
VAE_BACKGROUND = CONFIG.images.background
# The background first: that is how the programs tell it from the signals.
VAE_SAMPLES = [VAE_BACKGROUND, *CONFIG.images.signals()]
# Folder names to numbers.
BETAS = {
    f"beta-{beta:g}": beta
    for run in (*VAE.trainings.values(), *CONFIG.images.vae_methods().values())
    for beta in run.betas
}


def image_jets(sample, part):
    return f"results/images/tables/{sample}/{part}.h5"


# Of the settings only what a training reads, so that the number of scored jets, another beta or depth trains nothing again.
def vae_settings(metric, own, **others):
    common = VAE.model_dump(
        mode="json", exclude={"test_jets", "correlation_jets", "cnn", "trainings"}
    )
    return json.dumps({**common, **others, "trainings": {metric: own}})


def vae_training(metric):
    kept = {"train_jets", "epochs", "batch_size"}
    return vae_settings(metric, VAE.trainings[metric].model_dump(include=kept))


def vae_models(metric, depths=None):
    run = VAE.trainings[metric]
    return [
        f"results/images/vae/{metric}/depth-{depth}/beta-{beta:g}/model.pt"
        for depth in depths or run.depths
        for beta in run.betas
    ]
