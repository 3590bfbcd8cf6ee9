"""Small files in the layouts of CMS, written for tests of what is read from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from oddjet.io.cutflow import Cutflow
from oddjet.io.tables import read_attributes, read_table
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings

EVENTS = 20
PER_JET = 25
FIELDS = ("pt", "eta", "phi", "mass")


def sprays() -> tuple[dict[str, ak.Array], np.ndarray]:
    """Candidates of events with two jets back to back of 570 to 900 GeV, and the jets' axes (events, 2, 2)."""
    rng = np.random.default_rng(1)
    first = rng.uniform(-np.pi, np.pi, EVENTS)
    axes = np.stack([rng.uniform(-1.5, 1.5, (EVENTS, 2)), np.stack([first, first + np.pi], axis=1)], axis=2)
    shares = rng.dirichlet(np.full(PER_JET, 0.6), (EVENTS, 2))
    pt = shares * rng.uniform(570, 900, (EVENTS, 2, 1))
    eta = axes[:, :, :1] + rng.normal(0, 0.1, pt.shape)
    phi = (axes[:, :, 1:] + rng.normal(0, 0.1, pt.shape) + np.pi) % (2 * np.pi) - np.pi
    columns = {"pt": pt, "eta": eta, "phi": phi, "mass": np.full(pt.shape, 0.13957)}
    return {name: lists(values.reshape(EVENTS, -1)) for name, values in columns.items()}, axes


def lists(values: np.ndarray, kind: type = np.float32) -> ak.Array:
    return ak.values_astype(ak.from_regular(ak.Array(values)), kind)


def identifiers() -> dict[str, np.ndarray]:
    return {
        "run": np.ones(EVENTS, np.uint32),
        "luminosityBlock": np.ones(EVENTS, np.uint32),
        "event": np.arange(EVENTS, dtype=np.uint64),
    }


def write(path: Path, columns: Mapping[str, object], tree: str = "Events") -> Path:
    kinds = {
        name: v.type if isinstance(v, ak.Array) else np.dtype((v.dtype, v.shape[1:])) for name, v in columns.items()
    }
    with uproot.recreate(path, compression=None) as file:
        file.mktree(tree, kinds)
        file[tree].extend(dict(columns))
    return path


def candidates(collection: str = "PFCands", **changed: ak.Array) -> dict[str, object]:
    return {**identifiers(), **{f"{collection}_{name}": v for name, v in {**sprays()[0], **changed}.items()}}


def partons(identifier: tuple[int, int], status: int) -> dict[str, ak.Array]:
    """Two generator particles along the jets' axes."""
    axes = sprays()[1]
    return {
        "GenPart_pt": lists(np.full((EVENTS, 2), 700.0)),
        "GenPart_eta": lists(axes[:, :, 0]),
        "GenPart_phi": lists(axes[:, :, 1]),
        "GenPart_mass": lists(np.zeros((EVENTS, 2))),
        "GenPart_pdgId": lists(np.tile(identifier, (EVENTS, 1)), np.int32),
        "GenPart_status": lists(np.full((EVENTS, 2), status), np.int32),
    }


def table_of(path: Path, **settings: object) -> tuple[np.ndarray, Cutflow, dict[str, str]]:
    output = path.with_suffix(".h5")
    match = settings.pop("require_match", "none")
    cutflow = extract_features(path, output, FeatureSettings(**settings), require_match=match)
    return read_table(output), cutflow, json.loads(read_attributes(output)["reading"])


def with_a_bad_entry(values: ak.Array, entry: int) -> ak.Array:
    """The same lists with NaN for the first number of one."""
    listed = values.to_list()
    listed[entry][0] = np.nan
    return ak.values_astype(ak.Array(listed), np.float32)
