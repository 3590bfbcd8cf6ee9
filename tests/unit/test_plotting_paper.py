"""The paper's figures from tables: which curves and histograms they hold, from which epochs, and what is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from oddjet.errors import EvaluationError, FigureError
from oddjet.evaluation.history import Curves, EpochAucRow, SnapshotRow
from oddjet.evaluation.paper import FIGURES, PAPER_FEATURES, TrainingTables, histogram_panels, paper_panels
from oddjet.evaluation.snapshots import Jets
from oddjet.plotting.epochs import Band, Panel, draw_epochs
from oddjet.plotting.histograms import HistogramPanel, draw_histograms, sample_names
from oddjet.plotting.sketches import SKETCHES, draw_sketch
from oddjet.plotting.style import contrast, figure_style

EPOCHS = [1, 2, 3, 4, 5, 6, 7, 8]
SIGNAL = "svj_mphi-2000_rinv-0p3"


def curves(values: list[float], seeds: tuple[int, ...] = (1, 2)) -> Curves:
    return {seed: (list(EPOCHS), [seed * value for value in values]) for seed in seeds}


HISTORY = {
    "positive_energy_train": curves([2.0, 1.0, 0.9, 0.8, 1e3, 1e6, 1e9, 1e9]),
    "negative_energy_train": curves([0.3, 0.5, 0.9, 0.8, 1e4, 1e8, 1e12, 1e12]),
    "wasserstein_validation": curves([9.0, 4.0, 2.0, 1.0, 50.0, 80.0, 80.0, 80.0]),
}
AUC = [
    EpochAucRow(
        "nae", seed, epoch, f"svj_{r_inv}", {"m_phi": 2000.0, "r_inv": r_inv}, 0.9 - 0.3 * r_inv, 0.01, 400, 2000
    )
    for seed, epoch, r_inv in itertools.product((1, 2), (1, 4, 8), (0.1, 0.3, 0.5, 0.7))
]
MEASURED = [
    SnapshotRow("nae", seed, epoch, quantity, sample, 3.0)
    for seed, epoch in itertools.product((1, 2), (1, 4, 8))
    for quantity, sample in (
        ("energy", "background"),
        ("energy", SIGNAL),
        ("distance_to_background", "negatives"),
        ("distance_to_background", SIGNAL),
        ("distance_to_negatives", SIGNAL),
    )
]
TABLES = TrainingTables(HISTORY, AUC, MEASURED)


def inside(figure: Figure) -> None:
    """Every word of a figure lies on the page, no legend outside its axes."""
    with figure_style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        for axes in figure.axes:
            legend = axes.get_legend()
            if legend is not None:
                box, frame = legend.get_window_extent(renderer), axes.get_window_extent(renderer)
                assert frame.x0 <= box.x0 < box.x1 <= frame.x1
                assert frame.y0 <= box.y0 < box.y1 <= frame.y1
            for text in axes.texts:
                box = text.get_window_extent(renderer)
                assert not text.get_text() or (box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0), text


@pytest.mark.parametrize("number", FIGURES)
def test_every_figure_by_epoch_is_drawn(number: str) -> None:
    inside(draw_epochs(paper_panels(number, TABLES), "NAE (log cosh), 2 seeds", "Simulation"))


def test_a_band_is_the_median_and_the_range_of_the_seeds() -> None:
    band = Band("W", "red", {1: ([1, 2, 3], [1.0, 5.0, 2.0]), 2: ([1, 3], [4.0, 0.0]), 3: ([1, 3], [2.0, 7.0])})
    assert band.summary() == ([1, 3], [2.0, 2.0], [1.0, 0.0], [4.0, 7.0])


def test_the_zoom_ends_before_the_divergence() -> None:
    (panel,) = paper_panels("3b", TABLES.of_seed(2))
    assert [band.curves[2][0] for band in panel.bands] == [[1, 2, 3, 4]] * 3
    gap = panel.bands[2].curves[2][1]
    assert gap == pytest.approx([3.4, 1.0, 0.0, 0.0])


def test_an_overflow_of_one_energy_alone_is_drawn_as_a_gap(jets: dict) -> None:
    """E- of seed 1 is beyond the range of its numbers from epoch 5 on, and in epoch 2 of seed 2."""
    minus = {1: (EPOCHS[:4], [0.3, 0.5, 0.9, 0.8]), 2: ([1, *EPOCHS[2:]], [0.6, 1.8, 1.6, 2e4, 2e8, 2e12, 2e12])}
    history = {**HISTORY, "negative_energy_train": minus}
    tables = TrainingTables(history, AUC, MEASURED)
    for number in ("3a", "3b", "5", "7a"):
        inside(draw_epochs(paper_panels(number, tables), "NAE, 2 seeds", "Simulation"))
    band = paper_panels("3a", tables)[0].bands[1]
    assert [epoch for epoch, value in zip(*band.summary()[:2], strict=True) if math.isnan(value)] == [2, 5, 6, 7, 8]
    (zoom,) = paper_panels("3b", tables)
    assert [zoom.bands[0].curves[seed][0] for seed in (1, 2)] == [[1, 2, 3, 4], [1]]
    rows = histogram_panels("4", PAPER_FEATURES, jets, negatives(), history, 1)
    assert rows[0][0].title == "epoch 3"


def test_the_collapse_shows_where_the_distance_is_lowest() -> None:
    energies, distance, auc = paper_panels("7a", TABLES)
    assert energies.scale == distance.scale == "log"
    assert list(distance.marks) == list(auc.marks) == [4, 4]
    assert [band.label for band in auc.bands] == [rf"$r_{{\mathrm{{inv}}}}$ = {r}" for r in (0.1, 0.3, 0.5, 0.7)]


def test_the_roles_reversed_show_a_signal_that_is_on_no_grid() -> None:
    rows = [
        EpochAucRow("wnae", seed, epoch, "top", {}, 0.6 + seed / 10, 0.01, 9, 9) for seed in (1, 2) for epoch in (1, 4)
    ]
    distance, auc = paper_panels("13", TrainingTables(HISTORY, rows))
    assert distance.bands[0].curves == HISTORY["wasserstein_validation"]
    assert auc.bands[0].curves == {1: ([1, 4], [0.7, 0.7]), 2: ([1, 4], [0.8, 0.8])}
    assert list(auc.marks) == [4, 4]


def test_what_the_tables_do_not_hold_is_refused() -> None:
    with pytest.raises(EvaluationError, match="'10' is not one of 2a"):
        paper_panels("10", TABLES)
    with pytest.raises(EvaluationError, match="no energy of background"):
        paper_panels("2a", TrainingTables(HISTORY, AUC))
    with pytest.raises(EvaluationError, match="history has no positive_energy_train"):
        paper_panels("5", TrainingTables({}, AUC))
    with pytest.raises(EvaluationError, match="seed 9 is not among"):
        TABLES.of_seed(9)
    with pytest.raises(FigureError, match="nothing to draw"):
        draw_epochs([Panel("W", [Band("W", "red", {1: ([1], [1.0]), 2: ([2], [1.0])})])], "WNAE", "Simulation")


@pytest.fixture
def jets() -> dict[str, Jets]:
    generator = np.random.default_rng(1)
    return {
        "background": Jets(generator.normal(size=(200, 8)), generator.uniform(0.1, 2.0, 200)),
        "signal": Jets(generator.normal(1.0, size=(90, 8)), np.ones(90)),
    }


def negatives() -> dict[tuple[int, int], np.ndarray]:
    generator = np.random.default_rng(2)
    samples = {(seed, epoch): generator.normal(size=(50, 8)) for seed in (1, 2) for epoch in EPOCHS}
    return {key: points.clip(-3, 3).astype(np.float32) for key, points in samples.items()}


def test_histograms_start_at_the_last_epoch_before_the_divergence(jets: dict) -> None:
    rows = histogram_panels("4", PAPER_FEATURES, jets, negatives(), HISTORY, 1)
    # Diverged at epoch 5: six snapshots would begin at 4, and there are five.
    assert [[panel.title for panel in row] for row in rows] == [
        ["epoch 3", "epoch 4", "epoch 5"],
        ["epoch 6", "epoch 7", "epoch 8"],
    ]
    panel = rows[0][0]
    assert panel.feature == "tau3"
    np.testing.assert_array_equal(panel.samples["negatives"], [negatives()[1, 3][:, 1], np.ones(50)])
    for name, (points, weights) in jets.items():
        np.testing.assert_array_equal(panel.samples[name], [points[:, 1], weights])
    inside(draw_histograms(rows, sample_names("$m$ = 2000 GeV, $r$ = 0.3"), "NAE, seed 1", "Simulation"))


def test_histograms_of_all_features_at_the_start_and_the_end(jets: dict) -> None:
    shown = [histogram_panels(number, PAPER_FEATURES, jets, negatives(), HISTORY, 2) for number in ("11", "12")]
    assert [[panel.feature for panel in rows[0]] for rows in shown] == [
        ["tau2", "tau3", "efp1", "c2"],
        ["axis_major", "axis_minor", "ptd", "softdrop_mass"],
    ]
    assert [[row[0].title for row in rows] for rows in shown] == [["epoch 1", "epoch 8"]] * 2
    inside(draw_histograms(shown[1], sample_names("$m$ = 2000 GeV, $r$ = 0.3"), "WNAE, seed 2", "Simulation"))


def test_a_histogram_holds_every_jet_in_percent_and_the_edges_of_the_box() -> None:
    values = np.array([-3.0] * 200 + [3.0] * 100 + [0.01] * 99 + [7.0])
    panel = HistogramPanel("tau3", "epoch 1", {"negatives": (values, np.ones(400))})
    figure = draw_histograms([[panel]], sample_names(""), "NAE, seed 1", "Simulation", (-3.0, 3.0))
    counts = figure.axes[0].patches[0].get_data().values
    assert len(counts) == 40
    # The jet at 7 counts, though it is not seen; the figure says so.
    assert [text.get_text() for text in figure.axes[0].texts if "%" in text.get_text()] == ["0.2% →"]
    assert [counts[0], counts[20], counts[39], counts.sum()] == pytest.approx([50, 24.75, 25, 99.75])
    assert sample_names("m = 2")["signal"] == "signal (m = 2)"


def test_a_histogram_and_its_axis_go_by_weight() -> None:
    """Two samples, 50 to 1: the one that is worth 2 % and lies far away sets no axis."""
    values, weights = np.repeat([0.5, 9.5], [900, 900]), np.repeat([249.0, 1.0], 900)
    panel = HistogramPanel("tau3", "", {"background": (values, weights)})
    axes = draw_histograms([[panel]], sample_names(""), "", "").axes[0]
    assert axes.get_xlim() == (0.0, 1.0)
    assert axes.patches[0].get_data().values.sum() == pytest.approx(99.6)
    assert [text.get_text() for text in axes.texts if "%" in text.get_text()] == ["0.4% →"]


def test_the_axis_holds_the_coordinates_of_the_method() -> None:
    generator = np.random.default_rng(3)

    def ends(centre: float, width: float, box: tuple[float, float] | None) -> tuple[float, float]:
        samples = {name: generator.normal(centre, width, 4000) for name in ("background", "negatives")}
        samples["signal"] = generator.normal(centre, 9 * width, 4000)
        panel = HistogramPanel("tau3", "", {name: (values, np.ones(4000)) for name, values in samples.items()})
        return draw_histograms([[panel]], sample_names(""), "", "", box).axes[0].get_xlim()

    # Min-max coordinates are the box as the dataset has it, wider where the chain's own box is.
    assert ends(0.0, 0.5, (-3.0, 3.0)) == (-3.0, 3.0)
    assert ends(0.5, 0.1, (0.0, 1.0)) == (0.0, 1.0)
    assert ends(0.0, 2.0, (-3.0, 3.0)) == (-6.0, 6.0)
    # Standard coordinates have none: 2.58 deviations hold all but one in a hundred.
    assert ends(0.0, 1.0, None) == (-3.0, 3.0)
    assert ends(2.0, 3.0, None) == (-6.0, 10.0)


def test_histograms_without_samples_are_refused(jets: dict) -> None:
    with pytest.raises(EvaluationError, match="seed 3 has no negative samples"):
        histogram_panels("4", PAPER_FEATURES, jets, negatives(), HISTORY, 3)
    with pytest.raises(EvaluationError, match="'5' is not one of 4, 11, 12"):
        histogram_panels("5", PAPER_FEATURES, jets, negatives(), HISTORY, 1)
    with pytest.raises(FigureError, match="without jets"):
        draw_histograms(
            [[HistogramPanel("tau3", "", {"signal": (np.zeros(0), np.zeros(0))})]], sample_names(""), "", ""
        )


@pytest.mark.parametrize("number", SKETCHES)
def test_sketches_keep_their_words_on_the_page(number: str) -> None:
    inside(draw_sketch(number))


def test_there_is_no_other_sketch() -> None:
    with pytest.raises(FigureError, match="'2' is not one of 1, 6, 8"):
        draw_sketch("2")


def test_words_in_the_colour_of_a_line_can_be_read() -> None:
    figures = [draw_sketch(name) for name in SKETCHES]
    wide = {key: (np.linspace(-9, 9, 200), np.ones(200)) for key in ("background", "negatives", "signal")}
    narrow = {key: (values / 9, weights) for key, (values, weights) in wide.items()} | {"signal": wide["signal"]}
    figures.append(
        draw_histograms([[HistogramPanel("tau2", "epoch 1", narrow)]], sample_names(""), "WNAE", "", (-3, 3))
    )
    for figure in figures:
        for text in figure.findobj(Text):
            if text.get_text():
                assert contrast(to_rgb(text.get_color()), (1.0, 1.0, 1.0)) >= 4.5, text.get_text()
