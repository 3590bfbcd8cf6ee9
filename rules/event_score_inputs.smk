# What the rules of the events' scores ask the configuration for.
from oddjet.events.settings import NEIGHBOUR_METHODS, SUPPORT_VECTOR_METHODS

PROTOCOL = EVENTS.protocol
EVENT_DISTANCE_METHODS = PROTOCOL.distances.methods()
EVENT_METHODS = [
    *EVENT_DISTANCE_METHODS,
    *NEIGHBOUR_METHODS,
    *SUPPORT_VECTOR_METHODS,
    *EVENTS.methods,
]
EVENT_OBJECTS = EVENTS.objects.model_dump_json()
EVENT_TEST = event_input("background_test")
EVENT_TEST_FILES = [event_input(name) for name in EVENT_SIGNALS]
EVENT_TEST_ARGUMENTS = [f"{name}={event_input(name)}" for name in EVENT_SIGNALS]


def event_scores(methods):
    return [f"results/events/scores/{method}.h5" for method in methods]


def protocol(*sections):
    # The part of the settings that a stage reads, so that no other part reruns it.
    return PROTOCOL.model_dump_json(include={"ground", *sections})


def event_results():
    return [
        "results/events/tables.md",
        "results/events/latency.md",
        *(
            f"results/events/figures/{name}.{suffix}"
            for name in ("roc", "si", "latency")
            for suffix in ("pdf", "png")
        ),
    ]
