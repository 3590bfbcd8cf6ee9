"""From Pythia's event records to the columns of the tree `Events`, named and typed as in CMS NanoAOD and PFNano."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import awkward as ak
import numpy as np
import pythia8mc
from numpy.typing import NDArray

from oddjet.simulation.detector import Candidates, VisibleParticles, reconstruct
from oddjet.simulation.processes import DARK_HADRONS, INVISIBLE_DARK, MEDIATOR
from oddjet.simulation.settings import DetectorSettings

# Of the event record, status codes 22 and 23 (hard process and the decays of its resonances) are stored, the last
# copies (62) of these particles, and dark hadrons with what they decay to.
HARD_STATUS = (22, 23)
LAST_STATUS = 62
NO_MOTHER = -1
HEAVY = (6, 24, MEDIATOR)

Record = Mapping[str, NDArray[Any]]  # columns of all particles of a batch


def event_columns(
    batch: ak.Array,
    pythia: pythia8mc.Pythia,
    detector: DetectorSettings,
    generator: np.random.Generator,
    *,
    run: int,
    part: int,
    first: int,
) -> dict[str, Any]:
    """Turn full event records into the columns of the tree `Events`; `first` is the number of the first event."""
    size = len(batch)
    record = flat_record(batch)
    candidates = reconstruct(visible_particles(record, pythia), detector, generator)
    momentum = [
        np.bincount(candidates.event, weights=candidates.pt * direction(candidates.phi), minlength=size)
        for direction in (np.cos, np.sin)
    ]
    return {
        "run": np.full(size, run, dtype=np.uint32),
        "luminosityBlock": np.full(size, part + 1, dtype=np.uint32),
        "event": np.arange(first, first + size, dtype=np.uint64),
        "genWeight": batch.info.weights[:, 0].to_numpy().astype(np.float32),
        "MET_pt": np.hypot(*momentum).astype(np.float32),
        "MET_phi": np.arctan2(-momentum[1], -momentum[0]).astype(np.float32),
        **dark_hadron_columns(record, size),
        "PFCands": candidate_records(candidates, size),
        "GenPart": generator_records(record, size),
    }


def flat_record(batch: ak.Array) -> Record:
    """Give the particles of all events as flat columns; `event` numbers their event, `first` is its first row."""
    counts = ak.num(batch.prt.id).to_numpy()
    return {
        "event": np.repeat(np.arange(len(batch)), counts),
        "first": np.repeat(np.cumsum(counts) - counts, counts),
        **{name: ak.flatten(batch.prt[name]).to_numpy() for name in ("id", "status", "mother1", "daughter1", "m")},
        **{name: ak.flatten(batch.prt.p[name]).to_numpy() for name in ("px", "py", "pz", "e")},
    }


def visible_particles(record: Record, pythia: pythia8mc.Pythia) -> VisibleParticles:
    """Select the stable particles that a detector can see, with charge and direction."""
    codes, inverse = np.unique(record["id"], return_inverse=True)
    data = pythia.particleData
    charge = np.array([data.chargeType(int(code)) // 3 for code in codes])[inverse]
    visible = np.array([data.isVisible(int(code)) for code in codes])[inverse]
    pt = np.hypot(record["px"], record["py"])
    chosen = (record["status"] > 0) & visible & (pt > 0)
    return VisibleParticles(
        event=record["event"][chosen],
        pdg_id=record["id"][chosen].astype(np.int64),
        charge=charge[chosen],
        pt=pt[chosen],
        eta=np.arcsinh(record["pz"][chosen] / pt[chosen]),
        phi=np.arctan2(record["py"][chosen], record["px"][chosen]),
        energy=record["e"][chosen],
    )


def dark_hadron_columns(record: Record, size: int) -> dict[str, NDArray[Any]]:
    """Count the dark hadrons of each event and give the fraction that decayed invisibly (0 without any)."""
    dark = np.isin(np.abs(record["id"]), DARK_HADRONS)
    # Daughters are numbered from the start of their event.
    daughter = np.abs(record["id"][record["first"][dark] + record["daughter1"][dark]])
    total = np.bincount(record["event"][dark], minlength=size)
    invisible = np.bincount(record["event"][dark], weights=np.isin(daughter, INVISIBLE_DARK), minlength=size)
    return {
        "nDarkHadrons": total.astype(np.int32),
        "invisibleFraction": (invisible / np.maximum(total, 1)).astype(np.float32),
    }


def candidate_records(candidates: Candidates, size: int) -> ak.Array:
    """Give the candidates of each event as records with the names and types of PFNano."""
    fields = {name: getattr(candidates, name).astype(np.float32) for name in ("pt", "eta", "phi", "mass")}
    fields["pdgId"] = candidates.pdg_id.astype(np.int32)
    fields["charge"] = candidates.charge.astype(np.int32)
    fields["puppiWeight"] = np.ones(len(candidates.pt), dtype=np.float32)
    return jagged(fields, np.bincount(candidates.event, minlength=size))


def generator_records(record: Record, size: int) -> ak.Array:
    """Give the particles of the hard process and of its decays, and dark hadrons with theirs; statuses without sign."""
    status = np.abs(record["status"])
    flavour = np.abs(record["id"])
    dark = np.isin(flavour, DARK_HADRONS)
    # Mothers are numbered from the start of their event; 0 is the event itself.
    mother = record["first"] + record["mother1"]
    chosen = np.isin(status, HARD_STATUS) | ((status == LAST_STATUS) & np.isin(flavour, HEAVY)) | dark | dark[mother]
    position = np.cumsum(chosen) - 1
    counts = np.bincount(record["event"][chosen], minlength=size)
    before = np.cumsum(counts) - counts
    known = (chosen[mother] & (record["mother1"] > 0))[chosen]
    px, py, pz = (record[name][chosen] for name in ("px", "py", "pz"))
    pt = np.hypot(px, py)
    fields = {
        "pt": pt.astype(np.float32),
        "eta": np.arcsinh(pz / np.maximum(pt, 1e-9)).astype(np.float32),
        "phi": np.arctan2(py, px).astype(np.float32),
        "mass": record["m"][chosen].astype(np.float32),
        "pdgId": record["id"][chosen].astype(np.int32),
        "status": status[chosen].astype(np.int32),
        "genPartIdxMother": np.where(
            known, position[mother[chosen]] - before[record["event"][chosen]], NO_MOTHER
        ).astype(np.int32),
    }
    return jagged(fields, counts)


def jagged(fields: Mapping[str, NDArray[Any]], counts: NDArray[np.int64]) -> ak.Array:
    """Give one list of records an event from flat columns and the number of records of each event."""
    return ak.zip({name: ak.unflatten(values, counts) for name, values in fields.items()})
