"""Anomalies made of background events: more objects, split objects, shifted momenta.

The rules are those of arXiv 2401.15542 section 2.1 and of the released program of AnomalyCLR (arXiv 2301.04660), whose
wrapping of phi by pi, not 2 pi, is not taken over; nor does an object that leaves the acceptance vanish, which would
change the total pT: it stops at the edge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddjet.events.layout import CLASS, CLASSES, EGAMMA, ETA, JET, MET, MUON, PHI, PT, Events, ObjectClass

# Selection of section 2 of the paper: pT in GeV, |eta|; one e/gamma or muon of an event is above TRIGGER.
THRESHOLDS = {EGAMMA.code: 3.0, MUON.code: 3.0, JET.code: 15.0}
ACCEPTANCE = {EGAMMA.code: 3.0, MUON.code: 2.1, JET.code: 4.0}
TRIGGER = 23.0
# Standard deviation of eta and phi of split objects: AnomalyCLR's for soft ones.
SMEARING = 0.028
OBJECTS = CLASSES[1:]
# Names of the three augmentations, in the order of their codes.
NAMES = ("more objects", "split objects", "shifted momenta")

Event = NDArray[np.float64]


def augment(events: Events, seed: int) -> tuple[Events, NDArray[np.int64]]:
    """Turn background events into anomalies, each by one of three augmentations with equal probability.

    Where no object can be split without breaking the selection, one of the two others is taken.

    Parameters
    ----------
    events
        Shape (N, 19, 4).
    seed
        Of all random numbers.

    Returns
    -------
    New events of the same shape, and which augmentation each went through: 0 more objects, 1 split objects, 2 shifted
    momenta.
    """
    rng = np.random.default_rng(seed)
    augmented, kinds = events.copy(), rng.integers(3, size=len(events))
    for row, event in enumerate(events):
        if kinds[row] == 1 and not any(splittable(event, kind).size for kind in OBJECTS):
            kinds[row] = 2 * rng.integers(2)
        augmented[row] = (add_objects, split_objects, shift_momenta)[kinds[row]](event, rng)
    return augmented, kinds


def add_objects(event: Event, rng: np.random.Generator) -> Event:
    """Add up to as many objects of each class as it has free slots, and take their momenta from the missing one.

    pT is uniform from the class's threshold to the largest pT of the event, eta within the acceptance, phi anywhere.
    """
    changed = event.copy()
    hardest = event[:, PT].max()
    for kind in OBJECTS:
        free = np.flatnonzero(event[kind.slots, PT] == 0) + kind.start
        added = free[: rng.integers(len(free) + 1)]
        low = THRESHOLDS[kind.code]
        changed[added, PT] = rng.uniform(low, max(low, hardest), len(added))
        changed[added, ETA] = rng.uniform(-ACCEPTANCE[kind.code], ACCEPTANCE[kind.code], len(added))
        changed[added, PHI] = rng.uniform(-np.pi, np.pi, len(added))
        changed[added, CLASS] = kind.code
    missing = momentum(event[MET.start]) - (momentum(changed[MET.stop :]) - momentum(event[MET.stop :]))
    changed[MET.start] = (np.abs(missing), 0.0, np.angle(missing), MET.code) if missing else 0.0
    return _sorted(changed)


def split_objects(event: Event, rng: np.random.Generator) -> Event:
    """Split objects in two until a drawn number of slots is filled, at least one; total and missing pT stay.

    A piece has at least its class's threshold; the last lepton above the trigger's threshold leaves one that is. Both
    pieces are smeared in eta and phi.
    """
    changed = event.copy()
    free = {kind.code: int((event[kind.slots, PT] == 0).sum()) for kind in OBJECTS}
    wanted = {code: rng.integers(slots + 1) for code, slots in free.items()}
    possible = [kind for kind in OBJECTS if splittable(event, kind).size]
    if not any(wanted[kind.code] for kind in possible):
        wanted[possible[rng.integers(len(possible))].code] = 1
    for kind in OBJECTS:
        for _ in range(wanted[kind.code]):
            choice = splittable(changed, kind)
            if choice.size:
                _split(changed, int(rng.choice(choice)), kind, rng)
    return _sorted(changed)


def shift_momenta(event: Event, rng: np.random.Generator) -> Event:
    """Multiply the missing pT by [0.5, 5), that of all objects by [1, 5), or all of them by one number of [1, 5)."""
    changed = event.copy()
    case = rng.integers(3)
    factor = rng.uniform(0.5 if case == 0 else 1.0, 5.0)
    if case != 1:
        changed[MET.slots, PT] *= factor
    if case != 0:
        changed[MET.stop :, PT] *= factor
    return changed


def splittable(event: Event, kind: ObjectClass) -> NDArray[np.int64]:
    """Give the slots of a class whose object can be split: a slot is free, and the pieces can pass the selection."""
    pt = event[kind.slots, PT]
    if (pt > 0).all():
        return np.empty(0, np.int64)
    low = THRESHOLDS[kind.code]
    slots = np.flatnonzero(pt >= 2 * low) + kind.start
    return np.array([slot for slot in slots if not _triggers(event, slot) or event[slot, PT] - low > TRIGGER], np.int64)


def momentum(objects: NDArray[np.float64]) -> complex:
    """Add transverse momenta as complex numbers px + i py, GeV; objects (..., 4)."""
    return complex(np.sum(objects[..., PT] * np.exp(1j * objects[..., PHI])))


def _triggers(event: Event, slot: int) -> bool:
    """Say whether an object is the only e/gamma or muon above the trigger's threshold."""
    above = np.flatnonzero(event[EGAMMA.start : MUON.stop, PT] > TRIGGER) + EGAMMA.start
    return len(above) == 1 and bool(above[0] == slot)


def _split(event: Event, slot: int, kind: ObjectClass, rng: np.random.Generator) -> None:
    pt, low, edge = event[slot, PT], THRESHOLDS[kind.code], ACCEPTANCE[kind.code]
    kept = rng.uniform(TRIGGER if _triggers(event, slot) else low, pt - low)
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
