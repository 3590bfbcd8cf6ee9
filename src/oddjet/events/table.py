"""Events as rows of 57 features, for the autoencoders: 19 slots of (pT, eta, phi), and the scaling of these.

The scaling is fixed by the detector and not fitted feature by feature, since a slot may be empty in all training
events: ln(max(pT, floor)) from the floor (an empty slot) to the largest of any object in the training events, eta over
the acceptance of the class, phi over the circle; each to the same range. An empty slot thus has the lowest pT and sits
in the middle of eta and phi.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EventError
from oddjet.events.layout import CLASSES, EGAMMA, ETA, JET, MUON, PHI, PT, Events
from oddjet.events.settings import ObjectSettings, TableSettings
from oddjet.io.tables import Column, write_table

NAMES = {"MET": "met", "e/gamma": "egamma", "muon": "muon", "jet": "jet"}
COORDINATES = {"pt": (PT, "GeV"), "eta": (ETA, "1"), "phi": (PHI, "rad")}
SLOT_NAMES = tuple(
    NAMES[kind.label] + (str(rank + 1) if kind.size > 1 else "") for kind in CLASSES for rank in range(kind.size)
)
FEATURES = tuple(f"{slot}_{coordinate}" for slot in SLOT_NAMES for coordinate in COORDINATES)


def feature_columns() -> list[Column]:
    """Give the 57 columns, slot by slot."""
    return [
        Column(f"{slot}_{name}", "f4", unit, f"{name} of {slot}; 0 where there is no such object")
        for slot in SLOT_NAMES
        for name, (_, unit) in COORDINATES.items()
    ]


def flatten(events: Events) -> NDArray[np.void]:
    """Turn events of shape (n, 19, 4) into a structured array of shape (n,) with the 57 features, float32."""
    table = np.zeros(len(events), np.dtype([(column.name, column.dtype) for column in feature_columns()]))
    for slot, name in enumerate(SLOT_NAMES):
        for coordinate, (column, _) in COORDINATES.items():
            table[f"{name}_{coordinate}"] = events[:, slot, column]
    return table


def write_event_table(path: Path, events: Events, attributes: Mapping[str, str]) -> None:
    """Write the features of events, each with weight 1, as the table that a training reads."""
    features = flatten(events)
    columns = [*feature_columns(), Column("weight", "f4", "1", "weight of the event")]
    table = np.ones(len(events), np.dtype([(column.name, column.dtype) for column in columns]))
    for name in FEATURES:
        table[name] = features[name]
    write_table(path, columns, table, attributes)


def event_scaler(events: Events, settings: TableSettings, objects: ObjectSettings) -> dict[str, Any]:
    """Give the scaling of the 57 features, in the form of `oddjet.dataset.scaling.Scaler.to_dict`.

    Parameters
    ----------
    events
        Training events, (n, 19, 4).
    settings
        Floor of pT, target range.
    objects
        The acceptances.

    Raises
    ------
    EventError
        No object of the training events is above the floor.
    """
    floor = settings.pt_floor
    largest = float(events[:, :, PT].max(initial=0.0))
    if largest <= floor:
        raise EventError(f"the {len(events)} training events have no object above pt_floor = {floor:g} GeV.")
    acceptance = {
        EGAMMA.label: objects.egamma_eta_max,
        MUON.label: objects.muon_eta_max,
        JET.label: objects.jet_eta_max,
    }
    features = []
    for kind in CLASSES:
        edge = {"pt": (math.log(floor), math.log(largest)), "phi": (-math.pi, math.pi)}
        eta = acceptance.get(kind.label, 1.0)
        edge["eta"] = (-eta, eta)
        for slot in range(kind.start, kind.stop):
            for name, (column, _) in COORDINATES.items():
                values = events[:, slot, column]
                seen = np.log(np.maximum(values, floor)) if name == "pt" else values
                features.append(
                    {
                        "name": f"{SLOT_NAMES[slot]}_{name}",
                        "transform": "log" if name == "pt" else "identity",
                        "floor": floor if name == "pt" else None,
                        "minimum": edge[name][0],
                        "maximum": edge[name][1],
                        "mean": float(seen.mean()),
                        "deviation": float(seen.std()),
                    }
                )
    return {"features": features, "scaling": "min_max", "range": list(settings.range)}
