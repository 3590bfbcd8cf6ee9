"""Time and memory of the scores, for a trigger: one core, events one after the other in compiled loops."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from oddjet.arrays import Singles
from oddjet.detectors.protocol import ScaledDetector
from oddjet.events.distances import EventDistances
from oddjet.events.layout import Events
from oddjet.events.merit_tables import Latency
from oddjet.events.neighbours import AugmentedNeighbours
from oddjet.events.point_sets import multiplicity, sets_2d, sets_3d, sorted_pt, total_pt
from oddjet.events.settings import LatencySettings
from oddjet.events.support_vectors import TransportMachine
from oddjet.transport.linearised import nearest_embedded
from oddjet.transport.nearest import References
from oddjet.transport.point_sets import PaddedSets, Sets, distance_matrix


def microseconds(function: Callable[[], object], events: int, repeats: int) -> float:
    """Measure the least processor time an event of some calls, after one that does not count (it compiles)."""
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return 1e6 * min(times) / events


def set_bytes(sets: Sets) -> int:
    """Memory of sets of points."""
    second = sets.norms if isinstance(sets, PaddedSets) else sets.weights
    return sets.points.nbytes + second.nbytes + sets.counts.nbytes


def measure_distances(distances: EventDistances, events: Events, settings: LatencySettings) -> Iterator[Latency]:
    """Measure the scores by distance, from the events' arrays on; one thread."""
    n, ground = len(events), distances.ground

    def row(method: str, score: Callable[[], object], memory: int, what: str = "") -> Latency:
        return Latency(method, microseconds(score, n, settings.repeats), memory, what)

    def in_2d() -> Sets:
        return sets_2d(events, ground)

    def in_3d() -> Sets:
        return sets_3d(events, ground)

    def search(sets: Callable[[], Sets], references: References) -> Callable[[], object]:
        return lambda: references.nearest(sets())

    yield row("total_pt", lambda: total_pt(events), 0)
    yield row("multiplicity", lambda: multiplicity(events), 0)
    momenta = distances.momenta
    yield row("sorted_pt", lambda: nearest_embedded(sorted_pt(events), momenta, 19), momenta.nbytes)
    yield row("ot_2d", search(in_2d, distances.references_2d), distances.references_2d.bytes, ", exact by bounds")
    yield row("ot_3d", search(in_3d, distances.references_3d), distances.references_3d.bytes, ", exact by bounds")
    references = distances.references_3d.sets
    yield row("ot_3d", lambda: distance_matrix(in_3d(), references).min(1), set_bytes(references), ", all solved")
    for k, medoids in zip(distances.settings.medoids, distances.medoids, strict=True):
        name = f"ot_3d_medoids{k}"
        yield row(name, lambda sets=medoids.sets: distance_matrix(in_3d(), sets).min(1), set_bytes(medoids.sets))  # type: ignore[misc]
    memory = distances.vectors.nbytes + distances.template.nbytes
    yield row("ot_3d_linear", lambda: distances.linear(events), memory)


def measure_machines(
    neighbours: AugmentedNeighbours, machine: TransportMachine, events: Events, settings: LatencySettings
) -> Iterator[Latency]:
    """Measure neighbours and support vectors, from the events' arrays on; one thread."""
    n = len(events)
    yield Latency(
        "ot_3d_knn",
        microseconds(lambda: neighbours.scores(events), n, settings.repeats),
        set_bytes(neighbours.voters) + neighbours.labels.nbytes,
        "",
    )
    yield Latency(
        "ot_3d_svm",
        microseconds(lambda: machine.outlying(events), n, settings.repeats),
        set_bytes(machine.kept) + 8 * len(machine.kept),
        "",
    )


def measure_network(model: ScaledDetector, inputs: Singles, settings: LatencySettings) -> Latency:
    """Measure the forward pass of a network and its reconstruction error, on scaled inputs of shape (n, 57).

    A group of seeds computes together: the time and the size are those of the group over the number of seeds.
    """
    seeds = len(model.seeds)
    time_of_all = microseconds(lambda: model.score_scaled(inputs), len(inputs), settings.repeats)
    network = getattr(model, "network", None)
    size = 0 if network is None else sum(value.nbytes for value in network.parameters().values())
    return Latency(model.name, time_of_all / seeds, size // seeds, "")
