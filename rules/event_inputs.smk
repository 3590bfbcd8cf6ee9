# The files of the events' analysis: what is simulated or listed, what is scored, what the models are.
EVENTS = CONFIG.events
EVENT_SIGNALS = list(EVENTS.signals)
try:
    # The files of each sample: those that are listed, or those that Pythia makes.
    EVENT_FILES = {
        name: (
            list(part_files(sample.files).values())
            if sample.files
            else [
                f"results/events/simulated/{name}/{part:04d}.h5"
                for part in range(sample.parts)
            ]
        )
        for name, sample in EVENTS.samples().items()
    }
except OddjetError as error:
    raise WorkflowError(f"events: {error}") from None


def event_input(name):
    # name: background_train, background_validation, background_test, or a signal.
    return f"results/events/inputs/{name}.h5"


def event_models(method):
    return [f"results/events/models/{method}/{group}/model.pt" for group in GROUPS]
