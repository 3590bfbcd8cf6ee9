"""Jets of the simulated events look as they should: the top quark's mass and momentum, the dark shower's width."""

from __future__ import annotations

import awkward as ak
import fastjet
import numpy as np
import pytest
import uproot
import vector

vector.register_awkward()


def vectors(events, collection, chosen=None):
    fields = {name: events[f"{collection}_{name}"] for name in ("pt", "eta", "phi", "mass")}
    if chosen is not None:
        fields = {name: values[chosen] for name, values in fields.items()}
    return ak.zip(fields, with_name="Momentum4D")


def read(path):
    with uproot.open(path) as file:
        return file["Events"].arrays()


def anti_kt_jets(events, pt_min):
    sequence = fastjet.ClusterSequence(vectors(events, "PFCands"), fastjet.JetDefinition(fastjet.antikt_algorithm, 0.8))
    jets = sequence.inclusive_jets(min_pt=pt_min)
    return jets[abs(jets.eta) < 2.4]


@pytest.fixture(scope="module")
def contained_top_jets(top_root):
    """Give mass and pT response of the jets that hold all three quarks of a top quark."""
    events = read(top_root)
    jets = anti_kt_jets(events, 400)
    hard = events.GenPart_status == 23
    quarks = vectors(events, "GenPart", hard & (abs(events.GenPart_pdgId) <= 5))
    inside = ak.sum(jets[:, :, None].deltaR(quarks[:, None, :]) < 0.6, axis=2)
    tops = vectors(events, "GenPart", (events.GenPart_status == 62) & (abs(events.GenPart_pdgId) == 6))
    nearest = tops[ak.argmin(jets[:, :, None].deltaR(tops[:, None, :]), axis=2)]
    contained = inside == 3
    mass, response = (ak.flatten(values[contained]) for values in (jets.mass, jets.pt / nearest.pt))
    return ak.to_numpy(mass, allow_missing=False), ak.to_numpy(response, allow_missing=False)


def test_contained_top_jets_weigh_as_much_as_a_top_quark(contained_top_jets):
    mass, _ = contained_top_jets
    assert len(mass) > 40
    assert np.median(mass) == pytest.approx(173, abs=6)
    # Two jets in three within 20 GeV: a resonance, not a continuum.
    assert np.mean(np.abs(mass - 173) < 20) > 0.66


def test_the_momentum_of_top_jets_is_measured(contained_top_jets):
    _, response = contained_top_jets
    assert np.median(response) == pytest.approx(0.98, abs=0.02)
    assert np.std(response) < 0.15


def test_semivisible_jets_have_more_candidates_than_top_jets(top_root, svj_root):
    def candidates(path, code, status):
        events = read(path)
        jets = anti_kt_jets(events, 500)
        truth = vectors(events, "GenPart", (abs(events.GenPart_pdgId) == code) & (events.GenPart_status == status))
        close = ak.min(jets[:, :, None].deltaR(truth[:, None, :]), axis=2) < 0.8
        inside = vectors(events, "PFCands")[:, None, :].deltaR(jets[:, :, None]) < 0.8
        return np.median(ak.to_numpy(ak.flatten(ak.sum(inside, axis=2)[close]), allow_missing=False))

    assert candidates(svj_root, 4900101, 23) > 1.3 * candidates(top_root, 6, 62)
