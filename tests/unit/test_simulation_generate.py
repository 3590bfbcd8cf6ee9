"""Simulated files: seeds, contents, numbers, and the physics that a wrong setting would break."""

from __future__ import annotations

import json

import awkward as ak
import numpy as np
import pytest
import uproot

from oddjet.errors import SimulationError
from oddjet.simulation.generate import simulate_sample, start_pythia
from oddjet.simulation.parts import RUN_MAX, derive_seed, run_number, shared_run
from oddjet.simulation.settings import DetectorSettings, Process, SemivisibleJets, SimulationSettings, TopPairs

FAST = SimulationSettings(multiparton_interactions=False)
EVENTS = 150
BRANCHES = {
    "run": "uint32_t",
    "luminosityBlock": "uint32_t",
    "event": "uint64_t",
    "genWeight": "float",
    "MET_pt": "float",
    "MET_phi": "float",
    "nDarkHadrons": "int32_t",
    "invisibleFraction": "float",
    "nPFCands": "int32_t",
    **{f"PFCands_{name}": "float[]" for name in ("pt", "eta", "phi", "mass", "puppiWeight")},
    **{f"PFCands_{name}": "int32_t[]" for name in ("pdgId", "charge")},
    "nGenPart": "int32_t",
    **{f"GenPart_{name}": "float[]" for name in ("pt", "eta", "phi", "mass")},
    **{f"GenPart_{name}": "int32_t[]" for name in ("pdgId", "status", "genPartIdxMother")},
}


def read(path):
    with uproot.open(path) as file:
        return file["Events"].arrays()


def metadata(path):
    with uproot.open(path) as file:
        return json.loads(str(file["metadata"]))


def write(path, events, seed=1, part=0, sample="top"):
    simulate_sample(
        path, Process(TopPairs()), FAST, sample=sample, part=part, events=events, seed=seed, attributes={"key": "value"}
    )
    return path


def invisible_fraction(events):
    """Give the invisible fraction of all dark hadrons and their number."""
    total = ak.sum(events.nDarkHadrons)
    return ak.sum(events.nDarkHadrons * events.invisibleFraction) / total, total


@pytest.fixture(scope="module")
def top(top_root):
    return read(top_root)


@pytest.fixture(scope="module")
def svj(svj_root):
    return read(svj_root)


@pytest.fixture(scope="module")
def by_r_inv(simulate, svj):
    def point(r_inv):
        # Without the underlying event, which has no part in this, it takes half the time.
        process = {"name": "svj", "m_phi": 2000, "r_inv": r_inv}
        return read(simulate(f"svj_{r_inv}", process, 60, multiparton_interactions=False))

    return {0.0: point(0.0), 0.3: svj, 0.7: point(0.7), 1.0: point(1.0)}


def test_samples_have_runs_of_their_own(monkeypatch):
    names = [f"svj_{m_phi}_{r_inv}" for m_phi in range(100) for r_inv in range(10)]
    runs = {run_number(seed, name) for seed in (1, 2) for name in names}
    assert len(runs) == 2 * len(names)
    assert min(runs) >= 1
    assert max(runs) <= RUN_MAX < 2**31
    assert run_number(1, "top") == run_number(1, "top") == 1413466589
    assert shared_run(1, names) is None
    monkeypatch.setattr("oddjet.simulation.parts.RUN_MAX", 500)  # now some of a thousand names must meet
    first, second = shared_run(1, names)
    assert first != second
    assert run_number(1, first) == run_number(1, second)


def test_seeds_are_in_pythias_range_and_tell_every_job_apart():
    seeds = [derive_seed(seed, sample, part) for seed in (0, 1) for sample in ("a", "b", "a/1") for part in range(100)]
    assert len(set(seeds)) == len(seeds)
    assert 1 <= min(seeds) <= max(seeds) <= 900_000_000
    assert derive_seed(1, "a", 2) == derive_seed(1, "a", 2)


def test_branches_have_the_names_and_types_of_nanoaod(top_root):
    with uproot.open(top_root) as file:
        assert {branch.name: branch.typename for branch in file["Events"].branches} == BRANCHES


def test_event_numbers(top):
    assert len(top) == EVENTS
    assert set(top.run) == {run_number(7, "top")}
    assert set(top.luminosityBlock) == {1}
    assert top.event.to_list() == list(range(1, EVENTS + 1))
    assert set(top.genWeight) == {1}


def test_the_number_of_events_is_exact_across_batches_and_the_part_is_the_luminosity_block(tmp_path):
    events = read(write(tmp_path / "x.root", 251, part=4))
    assert events.event.to_list() == list(range(1, 252))
    assert set(events.luminosityBlock) == {5}


def test_metadata(top_root, svj_root):
    found = metadata(top_root)
    assert found["script"] == "conftest"
    assert found["process"] == {"name": "top_pairs", "pthat_min": 450.0}
    assert (found["sample"], found["part"], found["events"], found["failed_events"]) == ("top", 0, EVENTS, 0)
    assert found["seed"] == derive_seed(7, "top", 0)
    assert f"Random:seed = {found['seed']}" in found["pythia_settings"]
    assert found["pythia_version"] == "8.317"
    # 2.6 pb at leading order; 150 events give it to 10 %.
    assert found["cross_section_pb"] == pytest.approx(2.6, rel=0.3)
    assert 0 < found["cross_section_error_pb"] < 0.5
    assert metadata(svj_root)["process"]["r_inv"] == 0.3


def test_the_seed_decides_the_contents(tmp_path):
    one, same = (read(write(tmp_path / f"{name}.root", 3)) for name in ("one", "same"))
    assert ak.array_equal(one, same)
    other = read(write(tmp_path / "other.root", 3, seed=2))
    assert other.MET_pt.to_list() != one.MET_pt.to_list()


def test_the_detector_leaves_the_generated_events_alone(tmp_path):
    coarse = SimulationSettings(multiparton_interactions=False, detector=DetectorSettings(track_pt_min=5.0))
    simulate_sample(
        tmp_path / "c.root", Process(TopPairs()), coarse, sample="top", part=0, events=3, seed=1, attributes={}
    )
    one, other = read(write(tmp_path / "one.root", 3)), read(tmp_path / "c.root")
    assert ak.array_equal(one.GenPart_pt, other.GenPart_pt)
    assert ak.sum(one.nPFCands) > ak.sum(other.nPFCands)


@pytest.mark.parametrize("sample", ["top", "svj"])
def test_candidates_are_finite_consistent_and_sorted(sample, request):
    events = request.getfixturevalue(sample)
    flat = {name: ak.flatten(events[f"PFCands_{name}"]).to_numpy() for name in ("pt", "eta", "phi", "mass", "charge")}
    assert all(np.isfinite(values).all() for values in flat.values())
    assert flat["pt"].min() > 0
    codes = ak.flatten(events.PFCands_pdgId).to_numpy()
    assert set(np.unique(codes)) <= {211, -211, 11, -11, 13, -13, 22, 130}
    assert np.array_equal(flat["charge"] != 0, np.isin(np.abs(codes), (11, 13, 211)))
    assert ak.all(events.PFCands_pt[:, 1:] <= events.PFCands_pt[:, :-1])
    assert set(ak.flatten(events.PFCands_puppiWeight)) == {1}
    assert ak.min(events.nPFCands) > 20


@pytest.mark.parametrize("sample", ["top", "svj"])
def test_missing_momentum_balances_the_candidates(sample, request):
    events = request.getfixturevalue(sample)
    for component, direction in (("cos", np.cos), ("sin", np.sin)):
        candidates = ak.sum(events.PFCands_pt * direction(events.PFCands_phi), axis=1)
        missing = events.MET_pt * direction(events.MET_phi)
        assert np.allclose(candidates, -missing, atol=0.05), component


def test_truth_of_top_pairs(top):
    tops = (abs(top.GenPart_pdgId) == 6) & (top.GenPart_status == 62)
    assert ak.all(ak.sum(tops, axis=1) == 2)
    assert ak.all(ak.sum(top.GenPart_pdgId[tops], axis=1) == 0)
    masses = ak.flatten(top.GenPart_mass[tops])
    assert ak.mean(masses) == pytest.approx(173, abs=0.6)
    assert ak.min(masses) >= 152
    assert ak.max(masses) <= 194
    hard = (abs(top.GenPart_pdgId) == 6) & (top.GenPart_status == 22)
    assert ak.min(top.GenPart_pt[hard]) > 450
    assert set(top.nDarkHadrons) == {0}
    assert set(top.invisibleFraction) == {0}


def test_truth_of_semivisible_jets(svj):
    dark = (abs(svj.GenPart_pdgId) == 4900101) & (svj.GenPart_status == 23)
    assert ak.all(ak.sum(dark, axis=1) == 2)
    mediators = (abs(svj.GenPart_pdgId) == 4900001) & (svj.GenPart_status == 62)
    assert ak.all(ak.sum(mediators, axis=1) == 2)
    assert np.allclose(ak.flatten(svj.GenPart_mass[mediators]), 2000, atol=1)


def test_dark_hadrons_are_the_mothers_of_what_they_decay_to(svj):
    mother = svj.GenPart_genPartIdxMother
    identifier = abs(svj.GenPart_pdgId)
    assert ak.all(mother < ak.num(mother))
    of = identifier[ak.mask(mother, mother >= 0)]
    hadrons = (identifier >= 4900111) & (identifier <= 4900213)
    assert ak.sum(hadrons) == ak.sum(svj.nDarkHadrons)
    products = ak.fill_none((of >= 4900111) & (of <= 4900213), False) & ~hadrons
    # Each dark hadron decays to two particles, of our world or invisible, or to dark hadrons.
    assert set(ak.flatten(identifier[products])) <= {1, 2, 3, 4, 5, 51, 53}
    assert ak.sum(products) >= 1.5 * ak.sum(hadrons)
    invisible = products & (identifier > 50)
    assert ak.sum(invisible) / ak.sum(products) == pytest.approx(0.3, abs=0.05)


def test_dark_hadrons_an_event(svj):
    # 24 with Lambda in force; about 10 if HiddenValley:setLambda is off.
    assert 20 < ak.mean(svj.nDarkHadrons) < 30


def test_the_invisible_fraction_is_r_inv(by_r_inv):
    for r_inv, events in by_r_inv.items():
        fraction, total = invisible_fraction(events)
        assert total > 1000
        assert fraction == pytest.approx(r_inv, abs=3 * np.sqrt(r_inv * (1 - r_inv) / total) + 1e-6)


def test_missing_momentum_rises_with_r_inv(by_r_inv):
    means = [ak.mean(events.MET_pt) for events in by_r_inv.values()]
    errors = [ak.std(events.MET_pt) / np.sqrt(len(events)) for events in by_r_inv.values()]
    for low, high, low_error, high_error in zip(means, means[1:], errors, errors[1:], strict=False):
        assert high - low > 2 * np.hypot(low_error, high_error)


def test_a_weaker_dark_coupling_makes_fewer_dark_hadrons(simulate, svj):
    process = {"name": "svj", "m_phi": 2000, "r_inv": 0.3, "alpha": "low"}
    few = read(simulate("svj_low", process, 40, multiparton_interactions=False))
    assert ak.mean(few.nDarkHadrons) < 0.85 * ak.mean(svj.nDarkHadrons)  # 18 and 25


@pytest.mark.parametrize(
    ("process", "settings"),
    [
        (TopPairs(pthat_min=7000), SimulationSettings()),
        (SemivisibleJets(m_phi=2000, r_inv=0.3), SimulationSettings(com_energy=1500)),
    ],
)
def test_a_process_without_phase_space_is_named(process, settings):
    with pytest.raises(SimulationError, match="vanishing cross sections") as caught:
        start_pythia(Process(process), settings, 1)
    assert repr(process) in str(caught.value)
    assert f"com_energy = {settings.com_energy:g} GeV" in str(caught.value)


def test_a_setting_that_pythia_refuses_is_named():
    with pytest.raises(SimulationError, match=r"refuses the setting 'Random:seed = 1000000000000'.*not meaningful"):
        start_pythia(Process(TopPairs()), FAST, 10**12)
