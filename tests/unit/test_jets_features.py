"""Every kernel against a plain twin, on jets of simulated top pairs."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.optimize import minimize

from oddjet.errors import JetError
from oddjet.io.candidates import Particles
from oddjet.io.root import read_candidates
from oddjet.jets.clustering import Jets, cluster, rapidity, trees
from oddjet.jets.features import REGISTRY, Substructure, chosen_features
from oddjet.jets.njettiness import njettiness
from oddjet.jets.recombination import KT
from oddjet.jets.settings import EIGHT_FEATURES, Efp, EfpSettings, FeatureSettings

SETTINGS = FeatureSettings(pt_min=200.0, pt_max=5000.0)


@pytest.fixture(scope="module")
def jets(top_root: Path) -> Jets:
    """The first 100 jets above 200 GeV of simulated top pairs."""
    (record,) = read_candidates(top_root)
    found = cluster(record.candidates, 0.8, 200.0)
    return found.where(np.arange(len(found)) < 100)


@pytest.fixture(scope="module")
def shared(jets: Jets) -> Substructure:
    return Substructure(jets, SETTINGS)


def constituents(jets: Jets) -> list[dict[str, np.ndarray]]:
    """One dictionary a jet."""
    particles = jets.constituents
    y = rapidity(particles)
    limits = list(itertools.pairwise(particles.offsets))
    return [
        {
            "pt": particles.pt[a:b],
            "y": y[a:b],
            "eta": particles.eta[a:b],
            "phi": particles.phi[a:b],
            "m": particles.mass[a:b],
        }
        for a, b in limits
    ]


def wrap(angle: np.ndarray) -> np.ndarray:
    return np.angle(np.exp(1j * angle))


def distances(jet: dict[str, np.ndarray]) -> np.ndarray:
    return np.hypot(jet["y"][:, None] - jet["y"][None, :], wrap(jet["phi"][:, None] - jet["phi"][None, :]))


def fractions(jet: dict[str, np.ndarray]) -> np.ndarray:
    return jet["pt"] / jet["pt"].sum()


def plain_efp1(jet: dict[str, np.ndarray]) -> float:
    z = fractions(jet)
    return float(np.einsum("i,j,ij->", z, z, distances(jet)))


def plain_c2(jet: dict[str, np.ndarray]) -> float:
    z, power = fractions(jet), distances(jet) ** 0.5
    e2 = np.einsum("i,j,ij->", z, z, power) / 2
    e3 = np.einsum("i,j,k,ij,jk,ik->", z, z, z, power, power, power, optimize=True) / 6
    return float(e3 / e2**2)


def plain_axes(jet: dict[str, np.ndarray]) -> tuple[float, float]:
    phi = wrap(jet["phi"] - jet["phi"][0])
    values = np.linalg.eigvalsh(np.cov(np.stack([jet["eta"], phi]), aweights=jet["pt"] ** 2, bias=True))
    return float(np.sqrt(values[1])), float(np.sqrt(max(values[0], 0.0)))


def four_momenta(jet: dict[str, np.ndarray]) -> list[np.ndarray]:
    mt = np.hypot(jet["pt"], jet["m"])
    return list(
        np.stack(
            [
                jet["pt"] * np.cos(jet["phi"]),
                jet["pt"] * np.sin(jet["phi"]),
                mt * np.sinh(jet["y"]),
                mt * np.cosh(jet["y"]),
            ],
            axis=1,
        )
    )


def y_phi_pt(p: np.ndarray) -> tuple[float, float, float]:
    return float(np.arctanh(p[2] / p[3])), float(np.arctan2(p[1], p[0])), float(np.hypot(p[0], p[1]))


def plain_clusters(jet: dict[str, np.ndarray], power: float, stop: int) -> list[tuple]:
    """Sequential recombination without a beam, by search over all pairs, down to `stop` nodes (momentum, parents)."""
    nodes: list[tuple] = [(p, None) for p in four_momenta(jet)]
    while len(nodes) > stop:
        y, phi, pt = np.array([y_phi_pt(p) for p, _ in nodes]).T
        d = np.hypot(y[:, None] - y[None, :], wrap(phi[:, None] - phi[None, :])) ** 2
        d = d * np.minimum(pt[:, None] ** power, pt[None, :] ** power)
        np.fill_diagonal(d, np.inf)
        i, j = np.unravel_index(np.argmin(d), d.shape)
        merged = (nodes[i][0] + nodes[j][0], (nodes[i], nodes[j]))
        nodes = [node for k, node in enumerate(nodes) if k not in (i, j)] + [merged]
    return nodes


def plain_softdrop_mass(jet: dict[str, np.ndarray], zcut: float, beta: float) -> float:
    """Cambridge/Aachen, then decluster."""
    node = plain_clusters(jet, 0.0, 1)[0]
    while node[1] is not None:
        a, b = node[1]
        (ya, pa, pta), (yb, pb, ptb) = y_phi_pt(a[0]), y_phi_pt(b[0])
        r = np.hypot(ya - yb, wrap(np.array(pa - pb)))
        if min(pta, ptb) / (pta + ptb) > zcut * (r / 0.8) ** beta:
            p = node[0]
            return float(np.sqrt(max(p[3] ** 2 - p[0] ** 2 - p[1] ** 2 - p[2] ** 2, 0.0)))
        node = a if pta > ptb else b
    return 0.0


def direct_tau(jet: dict[str, np.ndarray], order: int) -> float:
    """Least tau_N near the exclusive kT axes, by the downhill simplex."""
    points = np.stack([jet["y"], wrap(jet["phi"] - jet["phi"][0])], axis=1)

    def tau(flat: np.ndarray) -> float:
        axes = flat.reshape(order, 2)
        near = np.linalg.norm(points[:, None, :] - axes[None, :, :], axis=2).min(axis=1)
        return float((jet["pt"] * near).sum() / (0.8 * jet["pt"].sum()))

    start = np.array([y_phi_pt(p)[:2] for p, _ in plain_clusters(jet, 2.0, order)])
    start[:, 1] = wrap(start[:, 1] - jet["phi"][0])
    options = {"maxiter": 4000, "initial_simplex": start.ravel() + 0.02 * np.eye(2 * order + 1, 2 * order)}
    return float(minimize(tau, start.ravel(), method="Nelder-Mead", options=options).fun)


def test_registry_holds_the_eight() -> None:
    assert set(EIGHT_FEATURES) <= set(REGISTRY)
    assert [f.name for f in chosen_features(EIGHT_FEATURES)] == list(EIGHT_FEATURES)
    for feature in REGISTRY.values():
        assert len(feature.definition) > 20
        assert feature.source


def test_unknown_feature_is_refused_by_name() -> None:
    with pytest.raises(JetError, match=r"'tau9'.*tau2"):
        chosen_features(["tau2", "tau9"])


def test_efp1_equals_the_plain_sum(jets: Jets, shared: Substructure) -> None:
    ours = REGISTRY["efp1"].compute(shared)
    assert ours == pytest.approx(np.array([plain_efp1(jet) for jet in constituents(jets)]), rel=1e-9)


def test_efp1_is_that_of_energyflow(jets: Jets, shared: Substructure) -> None:
    energyflow = pytest.importorskip("energyflow", reason="EnergyFlow has no packages for this Python")
    ours = REGISTRY["efp1"].compute(shared)
    efp = energyflow.EFP([(0, 1)], measure="hadr", beta=1, normed=True, coords="ptyphim")
    for value, jet in zip(ours, constituents(jets), strict=True):
        columns = np.stack([jet["pt"], jet["y"], wrap(jet["phi"] - jet["phi"][0]), jet["m"]], axis=1)
        assert value == pytest.approx(float(efp.compute(columns)), rel=1e-6)


def test_c2_equals_the_plain_sum(jets: Jets, shared: Substructure) -> None:
    ours = REGISTRY["c2"].compute(shared)
    assert ours == pytest.approx(np.array([plain_c2(jet) for jet in constituents(jets)]), rel=1e-9)


def test_c2_is_that_of_energyflow(jets: Jets, shared: Substructure) -> None:
    energyflow = pytest.importorskip("energyflow", reason="EnergyFlow has no packages for this Python")
    ours = REGISTRY["c2"].compute(shared)
    reference = energyflow.C2(measure="hadr", beta=0.5, coords="ptyphim")
    for value, jet in zip(ours, constituents(jets), strict=True):
        columns = np.stack([jet["pt"], jet["y"], wrap(jet["phi"] - jet["phi"][0]), jet["m"]], axis=1)
        assert value == pytest.approx(float(reference.compute(columns)) / 1.5, rel=1e-6)


def test_axes_and_ptd_equal_the_plain_covariance(jets: Jets, shared: Substructure) -> None:
    major, minor, ptd = (REGISTRY[name].compute(shared) for name in ("axis_major", "axis_minor", "ptd"))
    for i, jet in enumerate(constituents(jets)):
        expected_major, expected_minor = plain_axes(jet)
        assert major[i] == pytest.approx(expected_major, rel=1e-9)
        assert minor[i] == pytest.approx(expected_minor, rel=1e-6)
        assert ptd[i] == pytest.approx(np.sqrt((jet["pt"] ** 2).sum()) / jet["pt"].sum(), rel=1e-12)


@pytest.mark.parametrize(("zcut", "beta"), [(0.1, 0.0), (0.2, 1.0)])
def test_softdrop_mass_equals_the_plain_tree(jets: Jets, zcut: float, beta: float) -> None:
    settings = FeatureSettings.model_validate({"softdrop": {"zcut": zcut, "beta": beta}})
    some = jets.where(np.arange(len(jets)) < 40)
    ours = REGISTRY["softdrop_mass"].compute(Substructure(some, settings))
    plain = [plain_softdrop_mass(jet, zcut, beta) for jet in constituents(some)]
    assert ours == pytest.approx(np.array(plain), rel=1e-6, abs=1e-3)
    assert np.count_nonzero(plain) > 20


def test_ungroomed_softdrop_keeps_every_constituent(jets: Jets) -> None:
    settings = FeatureSettings.model_validate({"softdrop": {"zcut": 0.0, "beta": 0.0}})
    ours = REGISTRY["softdrop_mass"].compute(Substructure(jets, settings))
    assert ours == pytest.approx(jets.mass, rel=1e-6)


@pytest.mark.parametrize("order", [2, 3])
def test_njettiness_is_near_the_direct_minimum(jets: Jets, order: int) -> None:
    some = jets.where(np.arange(len(jets)) < 40)
    ours = njettiness(some.constituents, trees(some.constituents, KT), (order,), 0.8)[0]
    direct = np.array([direct_tau(jet, order) for jet in constituents(some)])
    assert np.mean(np.abs(ours / direct - 1) < 0.01) >= 0.85


def test_njettiness_refuses_orders_out_of_range(jets: Jets) -> None:
    with pytest.raises(JetError, match=r"\(0,\)"):
        njettiness(jets.constituents, trees(jets.constituents, KT), (0,), 0.8)


def test_features_of_thin_jets_are_zero() -> None:
    """One, two and three particles: no division by zero, and the stated zeros."""
    pt = np.array([500.0, 300.0, 200.0, 300.0, 200.0, 100.0])
    eta = np.array([0.0, 0.1, -0.2, 0.1, -0.2, 0.3])
    particles = Particles(np.array([0, 1, 3, 6]), pt, eta, np.zeros(6), np.zeros(6))
    empty = np.zeros(3)
    thin = Jets(np.arange(3), np.zeros(3, np.int16), empty, empty, empty, empty, particles)
    shared = Substructure(thin, SETTINGS)
    values = {name: feature.compute(shared) for name, feature in REGISTRY.items()}
    assert all(np.isfinite(v).all() for v in values.values())
    assert values["tau2"][:2].tolist() == [0.0, 0.0]
    assert values["tau3"].tolist() == [0.0, 0.0, 0.0]
    assert values["c2"][:2].tolist() == [0.0, 0.0]
    assert values["c2"][2] > 0
    assert values["softdrop_mass"][0] == 0.0
    assert values["efp1"][1] == pytest.approx(2 * 0.6 * 0.4 * 0.3)
    assert values["ptd"][0] == 1.0
    assert values["axis_minor"] == pytest.approx(np.zeros(3), abs=1e-12)


def test_njettiness_ratios_and_plain_columns(jets: Jets, shared: Substructure) -> None:
    values = {name: REGISTRY[name].compute(shared) for name in ("tau1", "tau2", "tau3", "tau21", "tau32")}
    assert (values["tau1"] > values["tau2"]).all()
    assert values["tau21"] == pytest.approx(values["tau2"] / values["tau1"], rel=1e-12)
    assert values["tau32"] == pytest.approx(values["tau3"] / values["tau2"], rel=1e-12)
    assert REGISTRY["mass"].compute(shared).tolist() == jets.mass.tolist()
    assert REGISTRY["multiplicity"].compute(shared).tolist() == [len(jet["pt"]) for jet in constituents(jets)]


def test_d2_equals_the_plain_sum(jets: Jets, shared: Substructure) -> None:
    for value, jet in zip(REGISTRY["d2"].compute(shared), constituents(jets), strict=True):
        z, angle = fractions(jet), distances(jet)
        e2 = np.einsum("i,j,ij->", z, z, angle) / 2
        e3 = np.einsum("i,j,k,ij,jk,ik->", z, z, z, angle, angle, angle, optimize=True) / 6
        assert value == pytest.approx(e3 / e2**3, rel=1e-9)


def plain_lund_multiplicity(node: tuple, kt_min: float) -> int:
    if node[1] is None:
        return 0
    a, b = node[1]
    (ya, pa, pta), (yb, pb, ptb) = y_phi_pt(a[0]), y_phi_pt(b[0])
    kt = min(pta, ptb) * np.hypot(ya - yb, wrap(np.array(pa - pb)))
    return int(kt > kt_min) + plain_lund_multiplicity(a, kt_min) + plain_lund_multiplicity(b, kt_min)


def test_lund_multiplicity_equals_the_plain_count(jets: Jets) -> None:
    some = jets.where(np.arange(len(jets)) < 20)
    ours = REGISTRY["lund_multiplicity"].compute(Substructure(some, FeatureSettings(lund_kt_min=5.0)))
    plain = [1 + plain_lund_multiplicity(plain_clusters(jet, 0.0, 1)[0], 5.0) for jet in constituents(some)]
    assert ours.tolist() == plain
    assert max(plain) > 5


def test_polynomials_equal_the_plain_sums(jets: Jets) -> None:
    entries = [Efp(efp=EfpSettings(graph=((0, 1), (1, 2)), beta=0.5)), Efp(efp=EfpSettings(degree=2))]
    features = chosen_features(entries)
    some = jets.where(np.arange(len(jets)) < 10)
    shared = Substructure(some, SETTINGS)
    values = {feature.name: feature.compute(shared) for feature in features}
    sums = {
        "efp_01_12_beta0p5": ("i,j,k,ij,jk->", 0.5),
        "efp_01_beta1": ("i,j,ij->", 1.0),
        "efp_01_01_beta1": ("i,j,ij->", 2.0),
        "efp_01_02_beta1": ("i,j,k,ij,ik->", 1.0),
        "efp_01_23_beta1": ("i,j,k,l,ij,kl->", 1.0),
    }
    assert list(values) == list(sums)
    for index, jet in enumerate(constituents(some)):
        for name, (formula, power) in sums.items():
            z, angle = fractions(jet), distances(jet) ** power
            operands = [angle if len(term) == 2 else z for term in formula.removesuffix("->").split(",")]
            assert values[name][index] == pytest.approx(np.einsum(formula, *operands, optimize=True), rel=1e-6)


def test_settings_know_which_names_they_compute() -> None:
    settings = FeatureSettings.model_validate(
        {"features": ["tau2", {"efp": {"graph": [[0, 1], [1, 2]], "beta": 0.5}}, {"efp": {"degree": 3}}]}
    )
    assert settings == FeatureSettings.model_validate_json(settings.model_dump_json())
    names = [feature.name for feature in chosen_features(settings.features)]
    assert settings.not_computed(names) == []
    wrong = ["tau3", "efp_01_12_beta1p5", "efp_01_12_23_34_beta1", "efp_", "efp_01"]
    assert settings.not_computed(wrong) == wrong


@pytest.mark.parametrize("efp", [{}, {"graph": [[0, 1]], "degree": 2}, {"graph": [[1, 1]]}, {"graph": [[0, 10]]}])
def test_impossible_polynomials_are_refused(efp: dict) -> None:
    with pytest.raises(ValidationError, match="efp"):
        FeatureSettings.model_validate({"features": [{"efp": efp}]})
