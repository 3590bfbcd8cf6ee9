"""What Pythia is told: the dark sector's numbers, and that Pythia takes every line."""

from __future__ import annotations

import math

import pytest
import pythia8mc

from oddjet.simulation.generate import start_pythia
from oddjet.simulation.processes import (
    DARK_HADRONS,
    DARK_PSEUDOSCALARS,
    QUARKS,
    confinement_scale,
    democratic_shares,
    mass_insertion_shares,
    open_quarks,
    pythia_settings,
    running_mass,
)
from oddjet.simulation.settings import Process, SemivisibleJets, SimulationSettings

NO_MPI = SimulationSettings(multiparton_interactions=False)


@pytest.fixture(scope="module")
def svj_pythia():
    return start_pythia(Process(SemivisibleJets(m_phi=1500, r_inv=0.3)), NO_MPI, 1)


@pytest.mark.parametrize(
    "process",
    [
        {"name": "top_pairs"},
        {"name": "qcd"},
        {"name": "hadronic_w"},
        {"name": "svj", "m_phi": 600, "r_inv": 1, "m_dark": 5, "alpha": "low"},
        {"name": "svj", "m_phi": 4000, "r_inv": 0, "m_dark": 50, "alpha": "high"},
        {"name": "svj", "m_phi": 1000, "r_inv": 0.5, "lambda_dark": 10},
    ],
)
def test_pythia_takes_every_line(process):
    pythia = pythia8mc.Pythia("", False)
    lines = pythia_settings(Process.model_validate(process), SimulationSettings(), 3)
    assert [line for line in lines if not pythia.readString(line)] == []
    assert pythia.settings.mode("Random:seed") == 3
    assert pythia.settings.parm("Beams:eCM") == 13000


def test_common_settings_reach_pythia():
    settings = SimulationSettings(com_energy=8000, multiparton_interactions=False, ctau_max=5)
    pythia = pythia8mc.Pythia("", False)
    for line in pythia_settings(Process.model_validate({"name": "top_pairs", "pthat_min": 321}), settings, 4):
        assert pythia.readString(line), line
    assert pythia.settings.parm("Beams:eCM") == 8000
    assert pythia.settings.flag("PartonLevel:MPI") is False
    assert pythia.settings.flag("ParticleDecays:limitTau0") is True
    assert pythia.settings.parm("ParticleDecays:tau0Max") == 5
    assert pythia.settings.parm("PhaseSpace:pTHatMin") == 321


def test_lambda_is_really_used(svj_pythia):
    # Off by default in Pythia 8.3; Lambda is then ignored without a word.
    assert svj_pythia.settings.flag("HiddenValley:setLambda") is True
    assert svj_pythia.settings.parm("HiddenValley:Lambda") == pytest.approx(35.154, abs=0.001)
    assert svj_pythia.settings.parm("HiddenValley:pTminFSR") == pytest.approx(38.669, abs=0.001)
    assert svj_pythia.settings.mode("HiddenValley:alphaOrder") == 1
    assert svj_pythia.particleData.m0(4900001) == 1500
    assert svj_pythia.particleData.m0(4900101) == 10


def test_branching_ratios_of_dark_hadrons(svj_pythia):
    for hadron in DARK_HADRONS:
        entry = svj_pythia.particleData.findParticle(hadron)
        ratios = {
            abs(entry.channel(number).product(0)): entry.channel(number).bRatio()
            for number in range(entry.sizeChannels())
        }
        invisible = 51 if hadron in DARK_PSEUDOSCALARS else 53
        assert ratios.pop(invisible) == pytest.approx(0.3, abs=1e-12)
        assert set(ratios) == set(QUARKS)
        assert sum(ratios.values()) == pytest.approx(0.7, abs=1e-8)
        assert entry.m0() == 20


def test_running_masses_are_those_of_pythia(svj_pythia):
    for quark in QUARKS:
        for scale in (12.0, 20.0, 50.0):
            assert running_mass(quark, scale) == pytest.approx(svj_pythia.particleData.mRun(quark, scale), rel=1e-3)


def test_pseudoscalars_prefer_the_bottom_quark_and_vectors_none():
    shares = mass_insertion_shares(20)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-12)
    assert 0.93 < shares[5] < 0.96
    assert democratic_shares(20) == dict.fromkeys(range(1, 6), 0.2)


def test_only_quarks_whose_hadrons_fit_are_open():
    assert open_quarks(10) == [1, 2, 3, 4]  # two B mesons weigh 10.56 GeV
    assert open_quarks(10.6) == [1, 2, 3, 4, 5]
    assert open_quarks(4) == [1, 2, 3, 4]


def test_confinement_scale():
    def scale(**given):
        return confinement_scale(SemivisibleJets(m_phi=2000, r_inv=0.3, **given))

    def coupling(lambda_dark):
        # arXiv:1707.05326 with two colours and flavours: b0 = 3.
        return math.pi / (3 * math.log(1000 / lambda_dark))

    assert scale() == scale(alpha="peak") == pytest.approx(3.2 * 20**0.8, rel=1e-12)
    assert coupling(scale(alpha="low")) == pytest.approx(0.5 * coupling(scale()), rel=1e-12)
    assert coupling(scale(alpha="high")) == pytest.approx(1.5 * coupling(scale()), rel=1e-12)
    assert coupling(scale()) == pytest.approx(0.3128, abs=1e-4)
    assert scale(lambda_dark=12.5) == 12.5
