"""What fastjet and fjcontrib make of the same particles: anti-kT jets, N-subjettiness, soft drop.

fastjet takes awkward arrays, so this module alone imports it, and is imported where a run needs it.
"""

from __future__ import annotations

from typing import Any

import awkward as ak
import fastjet
import numpy as np

from oddjet.arrays import Floats, Ints

# The whole jet is one cluster for every radius above its size.
WHOLE_JET = 1000.0


def _sequence(offsets: Ints, momenta: Floats, definition: fastjet.JetDefinition) -> Any:  # noqa: ANN401 - untyped
    columns = [ak.contents.NumpyArray(np.ascontiguousarray(column)) for column in momenta.T]
    record = ak.contents.RecordArray(columns, ["px", "py", "pz", "E"])
    events = ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), record))
    return fastjet.ClusterSequence(events, definition)


def anti_kt(offsets: Ints, momenta: Floats, radius: float, pt_min: float) -> tuple[Ints, Floats, Ints, Ints]:
    """Cluster with anti-kT; give what `recombination.anti_kt` gives, in the same order.

    Parameters
    ----------
    offsets : shape (events + 1,)
    momenta : shape (particles, 4)
        (px, py, pz, E) in GeV.
    radius, pt_min
        R, and the pT that jets must be above (GeV).

    Returns
    -------
    event (jets,), momentum (jets, 4) and number of constituents (jets,) of each jet, and the constituents' positions
    """
    filled = np.flatnonzero(np.diff(offsets))
    if not len(filled):
        return np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64)
    # fastjet's arrays have no empty event: without them the particles are the same, and lie in the same places.
    starts = np.append(offsets[filled], offsets[-1])
    sequence = _sequence(starts, momenta, fastjet.JetDefinition(fastjet.antikt_algorithm, radius))
    jets, index = sequence.inclusive_jets(), sequence.constituent_index()
    number = ak.to_numpy(ak.num(jets))
    event = np.repeat(filled, number)
    sums = np.stack([ak.to_numpy(ak.flatten(jets[name])) for name in ("px", "py", "pz", "E")], axis=1)
    counts = ak.to_numpy(ak.flatten(ak.num(index, axis=2))).astype(np.int64)
    jet = np.repeat(np.arange(len(counts)), counts)
    members = ak.to_numpy(ak.flatten(index, axis=None)) + offsets[event][jet]
    pt, member_pt = (np.hypot(p[:, 0], p[:, 1]) for p in (sums, momenta[members]))
    order = np.lexsort((-pt, event))
    order = order[pt[order] > pt_min]
    place = np.full(len(pt), -1)
    place[order] = np.arange(len(order))
    within = np.lexsort((-member_pt, place[jet]))
    within = within[place[jet][within] >= 0]
    return event[order], sums[order], counts[order], members[within].astype(np.int64)


def njettiness(offsets: Ints, momenta: Floats, orders: tuple[int, ...], radius: float) -> Floats:
    """N-subjettiness of each jet as `njettiness.njettiness` defines it, shape (len(orders), jets)."""
    sequence = _sequence(offsets, momenta, fastjet.JetDefinition(fastjet.cambridge_algorithm, WHOLE_JET))
    values = sequence.njettiness(
        measure_definition="NormalizedMeasure",
        axes_definition="OnePass_KT_Axes",
        njets=list(orders),
        beta=1.0,
        R0=radius,
    )
    return np.asarray(ak.to_numpy(values).T, dtype=np.float64)


def soft_drop_mass(offsets: Ints, momenta: Floats, zcut: float, beta: float, radius: float) -> Floats:
    """Mass of each jet after soft drop, GeV, shape (jets,); a particle's own where a single one is left."""
    sequence = _sequence(offsets, momenta, fastjet.JetDefinition(fastjet.cambridge_algorithm, WHOLE_JET))
    groomed = sequence.exclusive_jets_softdrop_grooming(njets=1, beta=beta, symmetry_cut=zcut, R0=radius)
    return np.asarray(ak.to_numpy(groomed.msoftdrop).ravel(), dtype=np.float64)
