"""Experiments side by side: fit of the background in common units, ensembles, stability."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from markdown_cells import cells_of
from oddjet.dataset.scaling import Scaler, fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, load, write
from oddjet.detectors.registry import kind_named
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.background_fit import in_physical_units, measure_fit, shuffled
from oddjet.evaluation.experiments import (
    chosen_values,
    last_quarter,
    summarise,
    to_markdown,
)
from oddjet.evaluation.history import EpochAucRow
from oddjet.titles import Titles

FEATURES = ("tau2", "softdrop_mass")


def jets(count: int = 400) -> np.ndarray:
    generator = np.random.default_rng(1)
    table = np.ones(count, dtype=[("tau2", "f4"), ("softdrop_mass", "f4"), ("weight", "f4")])
    table["tau2"] = generator.normal(0.2, 0.05, count)
    # Fully correlated: whatever permutes the columns is seen.
    table["softdrop_mass"] = np.exp(4.0 + 10.0 * (table["tau2"] - 0.2))
    return table


def scaler(scaling: str) -> Scaler:
    return fit_scaler(jets(), DatasetSettings(features=FEATURES, scaling=scaling))


class Distance:
    """A scorer of one seed: how far the two features are from being equal."""

    seeds, epochs = (5,), (7,)
    name = "distance"

    def __init__(self) -> None:
        settings = kind_named("mahalanobis").settings.model_validate({"kind": "mahalanobis"})
        self.card = Card(self.name, settings, scaler("standard"))

    def score(self, table: np.ndarray) -> np.ndarray:
        scaled = self.card.scaler.transform(table)
        return np.abs(scaled[:, :1] - scaled[:, 1:])


def test_permuted_features_keep_their_spectra_and_lose_their_correlation() -> None:
    mixed = shuffled(jets(), FEATURES, 3)
    for name in FEATURES:
        assert np.array_equal(np.sort(mixed[name]), np.sort(jets()[name]))
    assert abs(np.corrcoef(mixed["tau2"], np.log(mixed["softdrop_mass"]))[0, 1]) < 0.15
    (row,) = measure_fit(Distance(), jets(), scaler("min_max"), 3)
    assert (row.method, row.seed, row.epoch, row.quantity, row.sample) == ("distance", 5, 7, "auc", "shuffled")
    assert row.value > 0.99


@pytest.mark.parametrize("scaling", ["min_max", "standard", "power", "quantile"])
def test_points_come_back_in_physical_units(scaling: str) -> None:
    own = scaler(scaling)
    back = in_physical_units(own, own.transform(jets()))
    for name in FEATURES:
        np.testing.assert_allclose(back[name], jets()[name], rtol=2e-3)


def test_negatives_are_compared_in_the_datasets_units(tmp_path: Path) -> None:
    # Untrained and with a tiny weight in its chain the samples are noise in the box, the same for both coordinates'
    # networks; in common units their distance is not.
    rows = {}
    for scaling in ("min_max", "standard"):
        settings = kind_named("wnae").settings.model_validate({"kind": "wnae", "scaling": scaling})
        network = Network(settings.network, 2, 2)
        network.initialise(Generators((1, 2), "initial weights", torch.device("cpu")))
        card = Card("wnae", settings, scaler(scaling))
        write(tmp_path / "model.pt", content_of(network.parameters(), (1, 2), (3, 4), card))
        rows[scaling] = list(measure_fit(load(tmp_path / "model.pt"), jets(), scaler("min_max"), 1))
    for found in rows.values():
        assert [(row.seed, row.epoch, row.quantity) for row in found] == [
            (1, 3, "auc"),
            (2, 4, "auc"),
            (1, 3, "ensemble_auc"),
            (1, 3, "distance_to_background"),
            (1, 3, "distance_error"),
            (1, 3, "distance_to_background"),
            (2, 4, "distance_to_background"),
            (2, 4, "distance_error"),
            (2, 4, "distance_to_background"),
        ]
        assert [row.sample for row in found[3:6]] == ["negatives", "negatives", "background"]
        # Untrained models are far away, and two draws of jets near: the floor is far below W, and W known far better.
        assert found[5].value + 10 * found[4].value < found[3].value
    # A unit of standard scaling is smaller here than one of min-max scaling, so the same noise is nearer.
    assert rows["standard"][3].value != pytest.approx(rows["min_max"][3].value, rel=0.05)


def test_the_ensemble_of_permuted_features_is_that_of_standardised_scores() -> None:
    class Three(Distance):
        """Two blind seeds of a huge scale beside one that sees."""

        seeds, epochs = (5, 6, 7), (1, 1, 1)

        def score(self, table: np.ndarray) -> np.ndarray:
            seen = super().score(table)
            blind = 1e6 * np.random.default_rng(1).normal(size=(len(table), 2))
            return np.concatenate([seen, blind], axis=1)

    rows = list(measure_fit(Three(), jets(), scaler("min_max"), 3))
    assert [row.quantity for row in rows] == ["auc", "auc", "auc", "ensemble_auc"]
    assert rows[-1].value > 0.95


def auc_rows(values: dict[int, list[float]]) -> list[AucRow]:
    return [
        AucRow("wnae", seed, f"svj_{index}", {"m_phi": 2000.0, "r_inv": 0.1 * index}, auc, 0.01, 9, 9)
        for seed, aucs in values.items()
        for index, auc in enumerate(aucs)
    ]


def epoch_rows(values: dict[int, dict[int, list[float]]]) -> list[EpochAucRow]:
    return [
        EpochAucRow("wnae", seed, epoch, f"svj_{index}", {"m_phi": 2000.0, "r_inv": 0.1}, auc, 0.01, 9, 9)
        for seed, by_epoch in values.items()
        for epoch, aucs in by_epoch.items()
        for index, auc in enumerate(aucs)
    ]


def test_the_last_quarter_is_that_of_the_worst_seed() -> None:
    rows = epoch_rows(
        {
            1: {1: [0.1, 0.1], 75: [0.2, 0.2], 80: [0.80, 0.90], 100: [0.84, 0.90]},
            2: {1: [0.1, 0.1], 75: [0.2, 0.2], 80: [0.80, 0.90], 100: [0.90, 0.83]},
        }
    )
    # Mean over the grid: seed 1 from 0.85 to 0.87, seed 2 from 0.85 to 0.865; single points by at most 0.10.
    assert last_quarter(rows) == pytest.approx((0.02, 0.10))
    assert last_quarter([row for row in rows if row.epoch != 80]) == (None, None)
    assert last_quarter([]) == (None, None)


def test_a_line_of_the_table() -> None:
    row = summarise(auc_rows({1: [0.8, 0.9], 2: [0.82, 0.92]}), 0.88, chosen={1: 0.5, 2: 0.7})
    assert (row.seeds, row.aucs, row.ensemble, row.distance) == (2, "0.850 0.870", 0.88, None)
    assert (row.auc, row.selection) == pytest.approx((0.86, 0.6))
    assert row.spread == pytest.approx(0.02 / 2**0.5)
    numbers = ["2", "0.600", "", "", "", "0.860 ± 0.014", "0.850 0.870", "0.880", "", ""]
    assert cells_of(to_markdown([row]))[1] == ["WNAE", *numbers]
    assert cells_of(to_markdown([row], Titles(approximate=("wnae",))))[1] == ["WNAE (approximate)", *numbers]


def test_the_chosen_value_is_that_of_the_seeds_epoch() -> None:
    history = {"wasserstein_validation": {1: ([2, 4, 6], [3.0, 1.0, 2.0]), 2: ([2, 4, 6], [3.0, 2.0, 1.5])}}
    assert chosen_values(history, {1: 4, 2: 6}) == {1: 1.0, 2: 1.5}
    assert chosen_values({"positive_energy_validation": {1: ([2], [0.1])}}, {1: 2}) == {1: 0.1}
