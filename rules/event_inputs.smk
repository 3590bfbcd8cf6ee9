# The files of the events' analysis: what is simulated or listed, what is scored, what the models are.
EVENTS = CONFIG.events
EVENT_SIGNALS = list(EVENTS.signals)
# Where each sample stands in the configuration.
EVENT_KEYS = {
    name: f"{'signals' if name in EVENTS.signals else 'background'}.{name}"
    for name in EVENTS.samples()
}
try:
    EVENT_LISTED = find_samples(
        {
            EVENT_KEYS[name]: sample.files
            for name, sample in EVENTS.samples().items()
            if sample.files
        },
        "events",
        suffixes=(".h5", ".hdf5"),
    )
    refuse_shared(
        {
            f"events.{name}": list(found.parts.values())
            for name, found in EVENT_LISTED.items()
        }
    )
    tell_left_out(EVENT_LISTED)
except OddjetError as error:
    raise WorkflowError(str(error)) from None
for name, found in EVENT_LISTED.items():
    for file in found.parts.values():
        if is_remote(file):
            raise WorkflowError(
                f"events.{name}.files: {file} is an address; events are read from files of this machine. Fetch it first."
            )
# The files of each sample: those that are listed, or those that Pythia makes.
EVENT_FILES = {
    name: (
        list(EVENT_LISTED[EVENT_KEYS[name]].parts.values())
        if sample.files
        else [
            f"results/events/samples/{name}/{part:04d}.h5"
            for part in range(sample.parts)
        ]
    )
    for name, sample in EVENTS.samples().items()
}


def event_input(name):
    # name: background_train, background_validation, background_test, or a signal.
    return f"results/events/tables/{name}.h5"


def event_models(method):
    return [f"results/events/models/{method}/{group}/model.pt" for group in GROUPS]
