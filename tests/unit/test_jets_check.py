"""The comparison of the first jets of a file with fastjet: silent where they agree, exact where they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oddjet.errors import JetError
from oddjet.io.candidates import CandidateRecord, Particles
from oddjet.io.root import read_candidates
from oddjet.io.tables import read_table
from oddjet.jets import check
from oddjet.jets.check import FastjetCheck
from oddjet.jets.clustering import Jets, cluster
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings

SETTINGS = FeatureSettings(pt_min=300.0, pt_max=5000.0, check_jets=12)


@pytest.fixture(scope="module")
def record(top_root: Path) -> CandidateRecord:
    return next(iter(read_candidates(top_root)))


@pytest.fixture(scope="module")
def jets(record: CandidateRecord) -> Jets:
    found = cluster(record.candidates, SETTINGS.radius, SETTINGS.cluster_pt_min)
    return found.where(found.pt > 300.0)


def test_jets_that_agree_are_counted_and_no_more_are_compared(record: CandidateRecord, jets: Jets) -> None:
    comparison = FastjetCheck(SETTINGS)
    comparison.add(record, jets.where(np.arange(len(jets)) < 5))
    assert comparison.left == 7
    wrong_later = replace(jets, pt=np.where(np.arange(len(jets)) < 7, jets.pt, 1.0))
    comparison.add(record, wrong_later)
    assert comparison.left == 0
    comparison.add(record, wrong_later)


@pytest.mark.parametrize("name", ["pt", "eta", "phi", "mass"])
def test_another_momentum_stops_with_both_values(record: CandidateRecord, jets: Jets, name: str) -> None:
    values = getattr(jets, name).copy()
    values[3] = values[3] * 1.001 + 0.001
    event = jets.event[3]
    label = {"pt": "pT"}.get(name, name)
    place = f"{record.run[event]}:{record.luminosity_block[event]}:{record.event[event]}"
    with pytest.raises(JetError) as raised:
        FastjetCheck(SETTINGS).add(record, replace(jets, **{name: values}))
    said = str(raised.value).partition("top.root: ")[2]
    assert said.startswith(f"jet {jets.rank[3]} of event {place}: {label} is {str(values[3])[:7]}")
    assert f" here and {str(getattr(jets, name)[3])[:7]}" in said


def test_a_constituent_of_another_jet_stops(record: CandidateRecord, jets: Jets) -> None:
    members = jets.constituents
    eta = members.eta.copy()
    eta[0] += 0.01
    moved = Particles(members.offsets, members.pt, eta, members.phi, members.mass)
    with pytest.raises(JetError, match="number of common constituents is"):
        FastjetCheck(SETTINGS).add(record, replace(jets, constituents=moved))


def test_a_jet_that_fastjet_does_not_find_stops(record: CandidateRecord, jets: Jets) -> None:
    with pytest.raises(JetError, match="and nan with fastjet"):
        FastjetCheck(SETTINGS).add(record, replace(jets, rank=jets.rank + np.int16(500)))


@pytest.mark.parametrize(
    ("kernel", "change", "name"),
    [("njettiness", lambda tau: tau * 1.01, "tau1"), ("soft_drop_mass", lambda mass: mass + 1.0, "soft drop mass")],
)
def test_a_kernel_that_goes_wrong_stops_the_run(
    top_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kernel: str,
    change: Callable[[np.ndarray], np.ndarray],
    name: str,
) -> None:
    right = getattr(check, kernel)
    monkeypatch.setattr(check, kernel, lambda *arguments: change(right(*arguments)))
    with pytest.raises(JetError, match=f"{name} is .* here and .* with fastjet"):
        extract_features(top_root, tmp_path / "wrong.h5", SETTINGS)
    extract_features(top_root, tmp_path / "off.h5", SETTINGS.model_copy(update={"check_jets": 0}))


def test_a_tie_that_fastjet_breaks_by_the_order_of_particles_is_no_difference(
    record: CandidateRecord, jets: Jets
) -> None:
    def theirs(turned: bool) -> dict[str, np.ndarray]:
        return {"mass": jets.mass + (1.0 if turned else 2.0)}

    check._compare(record, jets, {"mass": jets.mass}, theirs)
    with pytest.raises(JetError, match="mass is"):
        check._compare(record, jets, {"mass": jets.mass}, lambda turned: {"mass": jets.mass + 2.0})


def test_jets_of_fastjet_make_the_same_table(top_root: Path, tmp_path: Path) -> None:
    tables = []
    for backend in ("own", "fastjet"):
        settings = SETTINGS.model_copy(update={"clustering": backend})
        extract_features(top_root, tmp_path / f"{backend}.h5", settings)
        tables.append(read_table(tmp_path / f"{backend}.h5"))
    ours, theirs = tables
    assert len(ours) == len(theirs) > 50
    for column in ours.dtype.names:
        assert np.allclose(ours[column], theirs[column], rtol=1e-4, atol=1e-4), column
