"""The scaler: against scikit-learn, the rule for jets without a groomed mass, errors that name the feature."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import yeojohnson
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler

from oddjet.dataset.scaling import Scaler, ScalerFit, fit_scaler, refit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.dataset.warping import QUANTILES, EvenSample, fit_power, to_power
from oddjet.errors import DatasetError

SETTINGS = DatasetSettings(features=("tau2", "softdrop_mass"))


def some_jets(count: int = 500, seed: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    jets = np.zeros(count, dtype=[("pt", "f4"), ("softdrop_mass", "f4"), ("tau2", "f4")])
    jets["tau2"] = generator.normal(0.2, 0.05, count)
    jets["softdrop_mass"] = generator.gamma(4.0, 40.0, count)
    jets["softdrop_mass"][:7] = -1.0
    return jets


def seen_by_the_network(jets: np.ndarray) -> np.ndarray:
    mass = jets["softdrop_mass"].astype(float)
    return np.column_stack([jets["tau2"].astype(float), np.log(np.where(mass < 1, 1, mass))])


def test_min_max_agrees_with_scikit_learn_on_training_and_on_other_jets() -> None:
    train, other = some_jets(), some_jets(seed=4)
    scaler = fit_scaler(train, SETTINGS)
    reference = MinMaxScaler(feature_range=(-3, 3)).fit(seen_by_the_network(train))
    for jets in (train, other):
        np.testing.assert_allclose(
            scaler.transform(jets), reference.transform(seen_by_the_network(jets)), rtol=1e-6, atol=1e-6
        )
    assert scaler.transform(train).min() == -3
    assert scaler.transform(train).max() == 3
    assert scaler.transform(train).dtype == np.float32


def test_standard_agrees_with_scikit_learn() -> None:
    jets = some_jets()
    scaler = fit_scaler(jets, DatasetSettings(features=("tau2", "softdrop_mass"), scaling="standard"))
    expected = StandardScaler().fit_transform(seen_by_the_network(jets))
    np.testing.assert_allclose(scaler.transform(jets), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mass", [-1.0, 0.0, 0.3, 1.0])
def test_a_jet_without_a_groomed_mass_sits_at_the_logarithm_of_one(mass: float) -> None:
    scaler = fit_scaler(some_jets(), SETTINGS)
    jet = some_jets(1)
    jet["softdrop_mass"] = mass
    low, high = scaler.features[1].minimum, scaler.features[1].maximum
    assert low == 0.0
    assert scaler.transform(jet)[0, 1] == np.float32(-3 + 6 * (0 - low) / (high - low))


def test_pieces_give_the_same_scaler_as_one_array() -> None:
    jets = some_jets(1000)
    fit = ScalerFit(SETTINGS)
    for piece in (jets[:1], jets[1:300], jets[300:300], jets[300:]):
        fit.update(piece)
    whole, pieces = fit_scaler(jets, SETTINGS), fit.finish()
    for one, other in zip(whole.features, pieces.features, strict=True):
        assert (one.minimum, one.maximum) == (other.minimum, other.maximum)
        assert one.mean == pytest.approx(other.mean, rel=1e-12)
        assert one.deviation == pytest.approx(other.deviation, rel=1e-12)


def test_a_scaler_survives_json_exactly() -> None:
    scaler = fit_scaler(some_jets(), SETTINGS)
    assert Scaler.from_dict(json.loads(json.dumps(scaler.to_dict()))) == scaler


def test_inverse_undoes_the_transform() -> None:
    jets = some_jets()
    scaler = fit_scaler(jets, SETTINGS)
    values = scaler.inverse(scaler.transform(jets).astype(float))
    np.testing.assert_allclose(values[:, 0], jets["tau2"], rtol=1e-5)
    np.testing.assert_allclose(values[:, 1], np.maximum(jets["softdrop_mass"], 1), rtol=1e-5)


def test_signal_outside_the_range_is_not_clipped() -> None:
    scaler = fit_scaler(some_jets(), SETTINGS)
    jets = some_jets(1)
    jets["tau2"] = 2.0
    assert scaler.transform(jets)[0, 0] > 10


def test_a_constant_feature_is_named() -> None:
    jets = some_jets()
    jets["tau2"] = 0.25
    with pytest.raises(DatasetError, match=r"feature tau2 has the value 0\.25 .* in all 500 background training jets"):
        fit_scaler(jets, SETTINGS)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_named(value: float) -> None:
    jets, bad = some_jets(), some_jets()
    bad["softdrop_mass"][[11, 20]] = value
    with pytest.raises(DatasetError, match=r"feature softdrop_mass is (nan|inf) in jet 11 \(2 of 500"):
        fit_scaler(bad, SETTINGS)
    with pytest.raises(DatasetError, match=r"feature softdrop_mass is (nan|inf) in jet 11"):
        fit_scaler(jets, SETTINGS).transform(bad)


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(DatasetError, match="no feature tau2; its columns are pt"):
        fit_scaler(some_jets(), SETTINGS).transform(some_jets()[["pt"]])


def test_no_jets_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no training jets"):
        fit_scaler(some_jets(0), SETTINGS)


@pytest.mark.parametrize("content", [{}, {"features": [{"name": "tau2"}], "range": [-3, 3], "scaling": "min_max"}])
def test_something_else_is_not_a_scaler(content: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match="not a scaler of oddjet"):
        Scaler.from_dict(content)


def scaled_by(scaling: str, count: int = 5000) -> tuple[np.ndarray, np.ndarray, Scaler]:
    jets = some_jets(count)
    scaler = fit_scaler(jets, DatasetSettings(features=("tau2", "softdrop_mass"), scaling=scaling))
    return jets, scaler.transform(jets), scaler


def test_power_agrees_with_scipys_maximum_likelihood() -> None:
    jets, scaled, scaler = scaled_by("power")
    standard = StandardScaler().fit_transform(seen_by_the_network(jets))
    expected, exponent = yeojohnson(standard[:, 0])
    assert scaler.features[0].warp[0] == pytest.approx(exponent, abs=1e-3)
    np.testing.assert_allclose(scaled[:, 0], StandardScaler().fit_transform(expected[:, None])[:, 0], atol=2e-3)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, rtol=1e-4)


def test_power_never_squeezes_a_tail_into_a_bounded_interval() -> None:
    # A long lower tail, for which the best exponent is above 2.
    values = -np.random.default_rng(1).lognormal(0.0, 1.5, 5000)
    standard = (values - values.mean()) / values.std()
    assert yeojohnson(standard)[1] > 2.5
    fitted = fit_power(standard)
    assert 1.99 < fitted[0] < 2.0
    far = to_power(np.array([-1e3, -1e6]), fitted)
    assert far[1] < far[0] - 1


def test_quantile_agrees_with_scikit_learn_inside_the_training_jets() -> None:
    jets, scaled, _ = scaled_by("quantile")
    values = jets["tau2"][:, None].astype(float)
    reference = QuantileTransformer(n_quantiles=QUANTILES, output_distribution="normal").fit_transform(values)[:, 0]
    middle = np.abs(reference) < 2.5
    np.testing.assert_allclose(scaled[middle, 0], reference[middle], atol=0.02)


def test_quantile_goes_on_beyond_the_training_jets_with_the_slope_of_standard_scaling() -> None:
    _, _, scaler = scaled_by("quantile")
    beyond = some_jets(2)
    beyond["tau2"] = [0.8, 0.8 + 2 * scaler.features[0].deviation]
    first, second = scaler.transform(beyond)[:, 0]
    assert first > 5
    assert second - first == pytest.approx(2.0, abs=1e-4)


def test_jets_that_share_a_value_share_the_middle_of_its_scores() -> None:
    jets = some_jets(4000)
    jets["softdrop_mass"][:2000] = -1.0
    scaler = fit_scaler(jets, DatasetSettings(features=("tau2", "softdrop_mass"), scaling="quantile"))
    scores = scaler.transform(jets)[:2000, 1]
    assert len(set(scores.tolist())) == 1
    # The mean normal score of the lower half of a normal distribution.
    assert scores[0] == pytest.approx(-math.sqrt(2 / math.pi), abs=0.01)


@pytest.mark.parametrize("scaling", ["power", "quantile"])
def test_other_coordinates_keep_the_order_and_come_back(scaling: str) -> None:
    jets, scaled, scaler = scaled_by(scaling)
    order = np.argsort(jets["tau2"], kind="stable")
    assert (np.diff(scaled[order, 0]) >= 0).all()
    np.testing.assert_allclose(scaler.inverse(scaled.astype(float))[:, 0], jets["tau2"], rtol=1e-4, atol=1e-5)
    assert Scaler.from_dict(json.loads(json.dumps(scaler.to_dict()))) == scaler
    settings = DatasetSettings(features=("tau2", "softdrop_mass"))
    refitted = refit_scaler(fit_scaler(jets, settings), scaling, (jets[:1700], jets[1700:]))
    np.testing.assert_allclose(refitted.transform(jets), scaled, atol=1e-5)


def test_an_even_sample_is_the_same_whatever_the_pieces() -> None:
    values = np.arange(1000.0)[:, None]
    whole, pieces = EvenSample(limit=100), EvenSample(limit=100)
    whole.add(values)
    for start, stop in ((0, 3), (3, 3), (3, 250), (250, 999), (999, 1000)):
        pieces.add(values[start:stop])
    assert np.array_equal(whole.rows(), pieces.rows())
    assert np.array_equal(whole.rows()[:, 0], np.arange(0, 1000, 16))


SCALINGS = ("min_max", "standard", "power", "quantile")


def weighted(jets: np.ndarray, weights: np.ndarray | float) -> np.ndarray:
    table = np.zeros(len(jets), dtype=[*jets.dtype.descr, ("weight", "f4")])
    for name in jets.dtype.names:
        table[name] = jets[name]
    table["weight"] = weights
    return table


@pytest.mark.parametrize("scaling", SCALINGS)
def test_one_weight_for_all_changes_no_bit(scaling: str) -> None:
    settings = DatasetSettings(features=("tau2", "softdrop_mass"), scaling=scaling)
    plain = fit_scaler(some_jets(2000), settings)
    for weight in (1.0, 0.37, 3e-9):
        assert fit_scaler(weighted(some_jets(2000), weight), settings) == plain


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_second_sample_counts_by_its_weight(scaling: str) -> None:
    """Two samples, the second one fifty times as large as it should be: the scaling is that of the right mixture."""
    settings = DatasetSettings(features=("tau2", "softdrop_mass"), scaling=scaling)
    first, second = some_jets(4000, 1), some_jets(4000, 2)
    second["tau2"] += 1.0
    both = weighted(np.concatenate([first, second]), np.repeat([1.0, 0.02], 4000))
    # The second sample's extreme jets are in both: the range has no weights.
    ends = second[[int(np.argmin(second[name])) for name in ("tau2", "softdrop_mass")]]
    ends = np.concatenate([ends, second[[int(np.argmax(second[name])) for name in ("tau2", "softdrop_mass")]]])
    mixture = np.concatenate([first, second[:76], ends])
    fits = [fit_scaler(jets, settings).transform(first).astype(float) for jets in (both, mixture)]
    np.testing.assert_allclose(fits[0][:, 0], fits[1][:, 0], atol=0.1)
    unweighted = fit_scaler(both[["tau2", "softdrop_mass"]], settings).transform(first)
    assert scaling == "min_max" or np.abs(unweighted - fits[1])[:, 0].max() > 0.5


@pytest.mark.parametrize("scaling", SCALINGS)
def test_negative_weights_cancel(scaling: str) -> None:
    """Of a sample with a quarter of weights -1 the scaling is that of the law, to the error of half as many jets."""
    settings = DatasetSettings(features=("tau2",), log_floors={}, scaling=scaling)
    signs = np.where(np.random.default_rng(9).random(20_000) < 0.25, -1.0, 1.0)
    signed, plain = (fit_scaler(weighted(some_jets(20_000, 1), sign), settings) for sign in (signs, 1.0))
    inner = some_jets(500, 5)
    np.testing.assert_allclose(signed.transform(inner), plain.transform(inner), atol=0.15)


def test_weights_that_leave_no_mean_are_named() -> None:
    settings = DatasetSettings(features=("tau2",), log_floors={})
    with pytest.raises(DatasetError, match="weights of the background training jets add up to -10, not above 0"):
        fit_scaler(weighted(some_jets(10), -1.0), settings)
    jets = weighted(some_jets(3), np.array([1.0, 1.0, -1.5]))
    jets["tau2"] = [0.0, 0.1, 0.9]
    with pytest.raises(DatasetError, match="feature tau2: the weights of both signs leave the variance -"):
        fit_scaler(jets, settings)


def column(values: np.ndarray) -> np.ndarray:
    jets = np.zeros(len(values), [("d2", "f4")])
    jets["d2"] = values
    return jets


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_jet_that_leaves_all_others_one_value_is_named(scaling: str) -> None:
    values = np.random.default_rng(1).exponential(1.0, 2000)
    values[17] = 3.4e31
    fit = ScalerFit(DatasetSettings(features=("d2",), log_floors={}, scaling=scaling))
    fit.update(column(values[:1000]), "top/0000.h5", 2 * np.arange(1000))
    fit.update(column(values[1000:]), "top/0001.h5")
    with pytest.raises(DatasetError, match=r"d2 is 3\.4e\+31 .* in row 34 of top/0000\.h5, .*dataset\.log_floors"):
        fit.finish()
    scaler = fit_scaler(column(values), DatasetSettings(features=("d2",), log_floors={"d2": 1e-3}, scaling=scaling))
    assert len(np.unique(scaler.transform(column(values)))) > 1900


def test_a_column_that_one_last_bit_keeps_from_being_constant_is_refused() -> None:
    values = np.full(1000, 0.5, np.float32)
    values[3] = np.nextafter(np.float32(0.5), np.float32(1))
    with pytest.raises(DatasetError, match=r"d2 has the value 0\.5 .* but for the last bits \(row 3 is the"):
        fit_scaler(column(values), DatasetSettings(features=("d2",), log_floors={}))


def test_a_scale_that_hangs_on_a_jet_is_told(caplog: pytest.LogCaptureFixture) -> None:
    values = np.random.default_rng(1).exponential(1.0, 2000)
    settings = DatasetSettings(features=("d2",), log_floors={})
    fit_scaler(column(values), settings)
    # Few values, most of them one: nothing depends on a single jet.
    fit_scaler(column(np.repeat([0.0, 1.0, 2.0], [1980, 15, 5])), settings)
    assert not caplog.records
    values[17] = 5000
    fit_scaler(column(values), settings)
    assert "feature d2 is 5000 (after its transform) in row 17" in caplog.text
