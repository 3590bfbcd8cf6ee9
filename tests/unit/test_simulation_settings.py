"""Settings of the simulation: bounds, and the choice of a process by its name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from oddjet.simulation.settings import (
    Calorimeter,
    CalorimeterRegion,
    DetectorSettings,
    Process,
    SemivisibleJets,
    SimulationSettings,
    TopPairs,
    TrackRegion,
)


def test_the_name_chooses_the_process():
    assert Process.model_validate({"name": "top_pairs"}).root == TopPairs(pthat_min=450)
    assert Process.model_validate({"name": "svj", "m_phi": 2000, "r_inv": 0.3}).root == SemivisibleJets(
        m_phi=2000, r_inv=0.3, m_dark=20
    )


def test_settings_survive_json():
    settings = SimulationSettings(com_energy=13600, detector=DetectorSettings(track_pt_min=0.5))
    assert SimulationSettings.model_validate_json(settings.model_dump_json()) == settings
    process = Process(SemivisibleJets(m_phi=1500, r_inv=0.1, lambda_dark=10))
    assert Process.model_validate_json(process.model_dump_json()) == process


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"name": "svj", "m_phi": 2000, "r_inv": 1.2}, "r_inv"),
        ({"name": "svj", "m_phi": 2000, "r_inv": -0.1}, "r_inv"),
        ({"name": "svj", "m_phi": 100, "r_inv": 0.3}, "m_phi"),
        ({"name": "svj", "m_phi": 2000, "r_inv": 0.3, "m_dark": 1}, "m_dark"),
        ({"name": "svj", "m_phi": 2000, "r_inv": 0.3, "alpha": "medium"}, "alpha"),
        ({"name": "svj", "m_phi": 2000, "r_inv": 0.3, "lambda_dark": 0}, "lambda_dark"),
        ({"name": "svj", "r_inv": 0.3}, "m_phi"),
        ({"name": "top_pairs", "pthat_min": -1}, "pthat_min"),
        ({"name": "top_pairs", "pt_min": 450}, "pt_min"),
        ({"name": "qcd", "pthat_min": 0}, "pthat_min"),
        ({"name": "svj", "m_phi": float("inf"), "r_inv": 0.3}, "m_phi"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_key(given, key):
    with pytest.raises(ValidationError) as caught:
        Process.model_validate(given)
    assert [error["loc"][-1] for error in caught.value.errors()] == [key]


def test_an_unknown_process_is_refused_with_the_known_ones():
    with pytest.raises(ValidationError, match="'top_pairs', 'qcd', 'hadronic_w', 'svj'"):
        Process.model_validate({"name": "higgs"})


def test_alpha_and_lambda_exclude_each_other():
    with pytest.raises(ValidationError, match="alpha or lambda_dark"):
        SemivisibleJets(m_phi=2000, r_inv=0.3, alpha="low", lambda_dark=5)


def test_a_mediator_needs_room_for_a_dark_shower():
    with pytest.raises(ValidationError, match="at least 10 m_dark = 500 GeV"):
        SemivisibleJets(m_phi=400, r_inv=0.3, m_dark=50)


def test_detector_regions_must_ascend():
    region = TrackRegion(eta_max=2.5, efficiency_soft=0.7, efficiency=0.9, constant=0.01, slope=1e-4)
    with pytest.raises(ValidationError, match=r"given: \[2.5, 2.5\]"):
        DetectorSettings(tracker=(region, region))
    part = CalorimeterRegion(eta_max=3, noise=0, stochastic=1, constant=0)
    with pytest.raises(ValidationError, match="eta_max must grow"):
        Calorimeter(phi_cells=72, energy_min=1, significance_min=2, regions=(part, part))


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        SimulationSettings().com_energy = 14000
