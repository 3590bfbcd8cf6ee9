"""Score distributions and ROC curves: what their headings say of seeds."""

import numpy as np
import pytest

from oddjet.plotting.roc import BINS, Curve, draw_scores

EFFICIENCIES = np.logspace(-3, 0, 20)
SAMPLES = {"background": (np.arange(50.0), np.ones(50)), "signal": (np.arange(20.0, 70.0), np.ones(50))}


@pytest.mark.parametrize(
    ("seed", "seeds", "left", "right"),
    [
        (3, 2, "seed 3", "WNAE, 2 seeds"),
        (3, 1, "Simulation", "WNAE, 1 seed"),
        (None, 1, "Simulation", "WNAE, mean of seeds' scores"),
    ],
)
def test_a_mean_of_scores_is_not_called_a_seed(seed: int | None, seeds: int, left: str, right: str) -> None:
    curve = Curve("signal", np.tile(np.sqrt(EFFICIENCIES), (seeds, 1)))
    figure = draw_scores(SAMPLES, [curve], EFFICIENCIES, "Simulation", "WNAE", seed)
    headings = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert left in headings[0]
    assert right in headings[1]
    assert not any("seed" in words for words in headings[0] if words != left)


def test_data_are_points_of_unit_area_with_their_error() -> None:
    weights = np.tile([1.0, 3.0], 25)
    data = {"run": (np.arange(50.0), weights), "empty": (np.empty(0), np.empty(0))}
    figure = draw_scores(SAMPLES, [], EFFICIENCIES, "CMS", "WNAE", 1, data)
    (points,) = figure.axes[0].containers
    assert points.get_label() == "run"
    places, heights = points.lines[0].get_data()
    low, high = figure.axes[0].get_xlim()
    powers = [np.histogram(np.arange(50.0), BINS, range=(low, high), weights=weights**power)[0] for power in (1, 2)]
    bins = ((places - low) / (high - low) * BINS).astype(int)
    assert sorted(bins) == np.flatnonzero(powers[0]).tolist()
    np.testing.assert_allclose(heights, powers[0][bins])  # the weights add up to 100: counts are shares in percent
    ((bars),) = points.lines[2]
    lengths = np.array([segment[1, 1] - segment[0, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(lengths, 2 * np.sqrt(powers[1][bins]))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["background", "signal", "run"]
