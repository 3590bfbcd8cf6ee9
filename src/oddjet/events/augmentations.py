"""Anomalies made of background events: more objects, split objects, shifted momenta.

The rules are those of arXiv 2401.15542 section 2.1 and of the released program of AnomalyCLR (arXiv 2301.04660), whose
wrapping of phi by pi, not 2 pi, is not taken over; nor does an object that leaves the acceptance vanish, which would
change the total pT: it stops at the edge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddjet.events.layout import CLASS, CLASSES, EGAMMA, ETA, JET, MET, MUON, PHI, PT, Events, ObjectClass
from oddjet.events.settings import ObjectSettings

# Standard deviation of eta and phi of split objects: AnomalyCLR's for soft ones.
SMEARING = 0.028
OBJECTS = CLASSES[1:]
# Names of the three augmentations, in the order of their codes.
NAMES = ("more objects", "split objects", "shifted momenta")

Event = NDArray[np.float64]


def thresholds(objects: ObjectSettings) -> dict[int, float]:
    """Give the smallest pT of each class by its code, GeV."""
    return {EGAMMA.code: objects.egamma_pt_min, MUON.code: objects.muon_pt_min, JET.code: objects.jet_pt_min}


def acceptances(objects: ObjectSettings) -> dict[int, float]:
    """Give the largest |eta| of each class by its code."""
    return {EGAMMA.code: objects.egamma_eta_max, MUON.code: objects.muon_eta_max, JET.code: objects.jet_eta_max}


def augment(events: Events, seed: int, objects: ObjectSettings) -> tuple[Events, NDArray[np.int64]]:
    """Turn background events into anomalies, each by one of three augmentations with equal probability.

    No event stays as it is: where the drawn augmentation cannot change it, one of those that can is taken.

    Parameters
    ----------
    events
        Shape (N, 19, 4).
    seed
        Of all random numbers.
    objects
        Thresholds, acceptances and trigger that the events were selected with, and that the new ones keep.

    Returns
    -------
    New events of the same shape, and which augmentation each went through: 0 more objects, 1 split objects, 2 shifted
    momenta.
    """
    rng = np.random.default_rng(seed)
    augmented, kinds = events.copy(), rng.integers(3, size=len(events))
    for row, event in enumerate(events):
        able = possible(event, objects)
        if kinds[row] not in able:
            kinds[row] = able[rng.integers(len(able))]
        if kinds[row] == 2:
            augmented[row] = shift_momenta(event, rng)
        else:
            augmented[row] = (add_objects, split_objects)[kinds[row]](event, rng, objects)
    return augmented, kinds


def possible(event: Event, objects: ObjectSettings) -> list[int]:
    """Give the codes of the augmentations that change an event; there always is one."""
    can = (
        bool((event[MET.stop :, PT] == 0).any()),
        any(splittable(event, kind, objects).size for kind in OBJECTS),
        bool((event[:, PT] > 0).any()),
    )
    return [code for code, able in enumerate(can) if able]


def add_objects(event: Event, rng: np.random.Generator, objects: ObjectSettings) -> Event:
    """Add up to as many objects of each class as it has free slots, and take their momenta from the missing one.

    At least one is added, if a slot is free. pT is uniform from the class's threshold to the largest pT of the event,
    eta within the acceptance, phi anywhere.
    """
    changed = event.copy()
    hardest, least, edges = event[:, PT].max(), thresholds(objects), acceptances(objects)
    free = {kind.code: np.flatnonzero(event[kind.slots, PT] == 0) + kind.start for kind in OBJECTS}
    numbers = _numbers({code: len(slots) for code, slots in free.items()}, rng)
    for kind in OBJECTS:
        added = free[kind.code][: numbers[kind.code]]
        low, edge = least[kind.code], edges[kind.code]
        changed[added, PT] = rng.uniform(low, max(low, hardest), len(added))
        changed[added, ETA] = rng.uniform(-edge, edge, len(added))
        changed[added, PHI] = rng.uniform(-np.pi, np.pi, len(added))
        changed[added, CLASS] = kind.code
    missing = momentum(event[MET.start]) - (momentum(changed[MET.stop :]) - momentum(event[MET.stop :]))
    changed[MET.start] = (np.abs(missing), 0.0, np.angle(missing), MET.code) if missing else 0.0
    return _sorted(changed)


def split_objects(event: Event, rng: np.random.Generator, objects: ObjectSettings) -> Event:
    """Split objects in two until a drawn number of slots is filled, at least one; total and missing pT stay.

    A piece has at least its class's threshold; the last lepton above the trigger's threshold leaves one that is. Both
    pieces are smeared in eta and phi.
    """
    changed = event.copy()
    free = {kind.code: int((event[kind.slots, PT] == 0).sum()) for kind in OBJECTS}
    wanted = {code: int(rng.integers(slots + 1)) for code, slots in free.items()}
    able = [kind for kind in OBJECTS if splittable(event, kind, objects).size]
    if not any(wanted[kind.code] for kind in able):
        wanted[able[rng.integers(len(able))].code] = 1
    for kind in OBJECTS:
        for _ in range(wanted[kind.code]):
            choice = splittable(changed, kind, objects)
            if choice.size:
                _split(changed, int(rng.choice(choice)), kind, rng, objects)
    return _sorted(changed)


def shift_momenta(event: Event, rng: np.random.Generator) -> Event:
    """Multiply the missing pT by [0.5, 5), that of all objects by [1, 5), or all of them by one number of [1, 5).

    Where there is no missing pT, or no object, all are multiplied; an event with neither stays as it is.
    """
    changed = event.copy()
    case = int(rng.integers(3))
    if not (event[MET.slots, PT] > 0).any() or not (event[MET.stop :, PT] > 0).any():
        case = 2
    factor = rng.uniform(0.5 if case == 0 else 1.0, 5.0)
    if case != 1:
        changed[MET.slots, PT] *= factor
    if case != 0:
        changed[MET.stop :, PT] *= factor
    return changed


def splittable(event: Event, kind: ObjectClass, objects: ObjectSettings) -> NDArray[np.int64]:
    """Give the slots of a class whose object can be split: a slot is free, and the pieces can pass the selection."""
    pt = event[kind.slots, PT]
    if (pt > 0).all():
        return np.empty(0, np.int64)
    low, trigger = thresholds(objects)[kind.code], objects.trigger_pt_min
    slots = np.flatnonzero(pt >= 2 * low) + kind.start
    kept = [slot for slot in slots if not _triggers(event, int(slot), trigger) or event[slot, PT] - low > trigger]
    return np.array(kept, np.int64)


def momentum(objects: NDArray[np.float64]) -> complex:
    """Add transverse momenta as complex numbers px + i py, GeV; objects (..., 4)."""
    return complex(np.sum(objects[..., PT] * np.exp(1j * objects[..., PHI])))


def _numbers(free: dict[int, int], rng: np.random.Generator) -> dict[int, int]:
    """Draw how many objects each class gets, from 0 to its free slots, and at least one in all."""
    numbers = {code: int(rng.integers(slots + 1)) for code, slots in free.items()}
    if not any(numbers.values()):
        with_room = [code for code, slots in free.items() if slots]
        if with_room:
            numbers[with_room[rng.integers(len(with_room))]] = 1
    return numbers


def _triggers(event: Event, slot: int, trigger: float) -> bool:
    """Say whether an object is the only e/gamma or muon above the trigger's threshold."""
    above = np.flatnonzero(event[EGAMMA.start : MUON.stop, PT] > trigger) + EGAMMA.start
    return len(above) == 1 and bool(above[0] == slot)


def _split(event: Event, slot: int, kind: ObjectClass, rng: np.random.Generator, objects: ObjectSettings) -> None:
    pt, low, edge = event[slot, PT], thresholds(objects)[kind.code], acceptances(objects)[kind.code]
    kept = rng.uniform(objects.trigger_pt_min if _triggers(event, slot, objects.trigger_pt_min) else low, pt - low)
    other = int(np.flatnonzero(event[kind.slots, PT] == 0)[0]) + kind.start
    pieces = np.tile(event[slot], (2, 1))
    pieces[:, PT] = kept, pt - kept
    pieces[:, ETA] = np.clip(pieces[:, ETA] + rng.normal(0, SMEARING, 2), -edge, edge)
    pieces[:, PHI] = np.mod(pieces[:, PHI] + rng.normal(0, SMEARING, 2) + np.pi, 2 * np.pi) - np.pi
    event[[slot, other]] = pieces


def _sorted(event: Event) -> Event:
    """Order the objects of each class by falling pT."""
    for kind in OBJECTS:
        objects = event[kind.slots]
        event[kind.slots] = objects[np.argsort(-objects[:, PT], kind="stable")]
    return event
