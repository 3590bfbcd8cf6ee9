"""Whole events from Pythia: every process is accepted, leptons are found, jobs can be repeated."""

import numpy as np
import pytest

from oddjet.errors import SimulationError
from oddjet.events.layout import EGAMMA, MUON, PT, check_events
from oddjet.events.objects import select_events
from oddjet.events.settings import ObjectSettings
from oddjet.simulation.event_generate import has_isolated_lepton, simulate_events, to_particles, turned
from oddjet.simulation.event_processes import EVENT_PROCESSES, event_pythia_settings
from oddjet.simulation.settings import SimulationSettings

pythia8mc = pytest.importorskip("pythia8mc")
# Without the underlying event: five times faster.
QUICK = SimulationSettings(multiparton_interactions=False)


def simulated(process: str, events: int, **given):
    return simulate_events(
        process,
        QUICK,
        lambda candidates, size: select_events(candidates, size, ObjectSettings()),
        events=events,
        **{"sample": process, "part": 0, "seed": 5, **given},
    )


@pytest.mark.parametrize("process", EVENT_PROCESSES)
def test_pythia_knows_every_line(process):
    pythia = pythia8mc.Pythia("", False)
    assert [line for line in event_pythia_settings(process, QUICK, 1) if not pythia.readString(line)] == []


@pytest.mark.parametrize("process", ["w_lnu", "qcd_lepton", "h0_tautau", "hpm_taunu"])
def test_every_event_has_a_lepton(process):
    events, facts = simulated(process, 12)
    assert events.shape == (12, 19, 4)
    check_events(events, process)
    leptons = np.concatenate([events[:, EGAMMA.slots, PT], events[:, MUON.slots, PT]], axis=1)
    assert leptons.max(axis=1).min() > 23
    assert 0 < facts["efficiency"] < 0.6
    assert facts["tried"] >= 12
    assert facts["cross_section_pb"] > 0


def test_a_job_can_be_repeated_and_no_other_has_its_events():
    first, _ = simulated("z_ll", 8)
    again, _ = simulated("z_ll", 8)
    other, _ = simulated("z_ll", 8, part=1)
    assert np.array_equal(first, again)
    assert not np.isin(other[:, 0, PT], first[:, 0, PT]).any()


def test_z_bosons_give_pairs():
    events, facts = simulated("z_ll", 40)
    pairs = ((events[:, MUON.slots, PT] > 0).sum(axis=1) == 2) | ((events[:, EGAMMA.slots, PT] > 0).sum(axis=1) >= 2)
    assert pairs.mean() > 0.5
    # The Drell-Yan cross section above 50 GeV at leading order, three lepton flavours.
    assert facts["cross_section_pb"] == pytest.approx(4.9e3, rel=0.15)


def test_hadrons_with_anti_b_quarks_alone_are_forced():
    pythia = pythia8mc.Pythia("", False)
    for line in EVENT_PROCESSES["qcd_lepton"].lines:
        pythia.readString(line)
    for code, free in ((521, 3), (5122, 2)):
        entry = pythia.particleData.findParticle(code)
        modes = {}
        for index in range(entry.sizeChannels()):
            channel = entry.channel(index)
            products = {abs(channel.product(n)) for n in range(channel.multiplicity())}
            modes.setdefault(bool(products & {11, 13}), set()).add(channel.onMode())
        assert modes == {True: {1}, False: {free}}


@pytest.mark.parametrize(
    ("given", "message"),
    [(("w_lnu", 0), r"events = 0"), (("w_enu", 3), r"process 'w_enu' is unknown; there are: w_lnu, z_ll")],
)
def test_what_cannot_be_simulated(given, message):
    with pytest.raises(SimulationError, match=message):
        simulated(*given)


def test_failed_events_end_the_job(monkeypatch):
    monkeypatch.setattr(pythia8mc.Pythia, "next", lambda self: False)
    with pytest.raises(SimulationError, match=r"Pythia gave up 11 of 11 events"):
        simulated("z_ll", 3)


MUON_ROW = (13, -1, 30.0, 0.0, 10.0, 32.0)


@pytest.mark.parametrize(
    ("near", "found"), [((211, 1, 10.0, 1.0, 3.0, 11.0), True), ((211, 1, 25.0, 1.0, 8.0, 27.0), False)]
)
def test_a_lepton_is_worth_a_look_if_it_is_isolated(near, found):
    far = (211, 1, -40.0, 0.0, 0.0, 40.0)
    assert has_isolated_lepton(np.array([MUON_ROW, near, far])) is found
    assert not has_isolated_lepton(np.array([near, far]))


def test_a_copy_is_turned_about_the_beam():
    record = np.array([MUON_ROW, (211, 1, 3.0, 4.0, 5.0, 8.0)])
    other = turned(record, 0.7)
    particles = to_particles([record, other])
    assert particles.event.tolist() == [0, 0, 1, 1]
    for name in ("pt", "eta", "energy"):
        values = getattr(particles, name)
        assert values[2:] == pytest.approx(values[:2])
    assert particles.phi[2:] - particles.phi[:2] == pytest.approx([0.7, 0.7])
