"""Thresholds in bins of pT, and what they leave of a background whose score grows with pT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oddjet.errors import EvaluationError, FigureError
from oddjet.evaluation.flatness import FlatnessRow, ThresholdRow, efficiency_in_bins, measure_flatness
from oddjet.evaluation.thresholds import threshold_of_jets, thresholds
from oddjet.io.csv import read_rows
from oddjet.report.flatness_figure import flatness_figure
from oddjet.titles import Titles
from programs import run_program
from score_tables import jets_of, write_scores


def table(path: Path, jets: int, seed: int, method: str = "ae") -> Path:
    """Scores of two seeds: the first grows with pT, the second knows nothing of it."""
    generator = np.random.default_rng(seed)
    pt = generator.uniform(500, 1000, jets)
    noise = generator.normal(size=(jets, 2))
    scores = np.stack([pt / 100 + noise[:, 0], noise[:, 1]], axis=1)
    return write_scores(path, method, {"b": jets_of(pt, pt)}, {"b": scores}, seeds=(1, 2))


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tables")
    return table(folder / "validation.h5", 40_000, 3), table(folder / "test.h5", 20_000, 4)


def test_thresholds_keep_the_efficiency_in_every_bin_of_pt():
    generator = np.random.default_rng(3)
    pt = generator.uniform(500, 1000, 40_000)
    jets = jets_of(pt, pt)
    scores = pt / 100 + generator.normal(size=len(jets))
    found = thresholds(jets, scores)
    assert len(found) == 15
    for one in found:
        low, high = one.pt_min or 0.0, one.pt_max or np.inf
        inside = scores[(jets["pt"] >= low) & (jets["pt"] < high)]
        if one.score is None:
            assert one.efficiency * len(inside) < 10
        else:
            assert np.mean(inside > one.score) == pytest.approx(
                one.efficiency, abs=2 / len(inside) + 1e-3 * one.efficiency
            )


def test_a_jet_has_the_threshold_of_its_bin_and_beyond_all_that_of_the_nearest():
    pt = np.linspace(500, 1000, 4001)
    found = thresholds(jets_of(pt, pt), pt)
    cuts = threshold_of_jets(found, 0.1, np.array([100.0, 600.0, 625.0, 700.0, 999.0, 5000.0]))
    # Of each quarter of the pT range the score, which is pT itself, at nine tenths.
    assert cuts == pytest.approx([612.5, 612.5, 737.5, 737.5, 987.5, 987.5], abs=0.2)
    assert threshold_of_jets(thresholds(jets_of(pt[:300], pt[:300]), pt[:300]), 0.1, pt) is None


def test_the_share_in_a_bin_is_of_weight():
    values, weights = np.array([1.0, 2.0, 11.0, 12.0, 99.0]), np.array([1.0, 3.0, 1.0, 1.0, 2.0])
    passed, edges = np.array([True, False, True, True, False]), np.array([0.0, 10.0, 20.0])
    share, error = efficiency_in_bins(values, weights, passed, edges, np.arange(5))
    assert share == pytest.approx([1 / 4, 2 / 4])
    # Each jet's distance from the share: (3/4, -3/4) and (1/2, 1/2, -1) in units of weight.
    assert error == pytest.approx([np.sqrt(2 * 0.75**2) / 4, np.sqrt(0.25 + 0.25 + 1) / 4])
    # Two jets of an event vary together where they are in one bin: (1/2 + 1/2, -1), and none else.
    _, error = efficiency_in_bins(values, weights, passed, edges, np.array([0, 1, 2, 2, 0]))
    assert error == pytest.approx([np.sqrt(2 * 0.75**2) / 4, np.sqrt(2) / 4])


def test_thresholds_in_bins_of_pt_flatten_what_one_threshold_sculpts(tables):
    cuts, rows = measure_flatness(*([path] for path in tables))
    assert len(cuts) == 2 * 15
    by_pt = [row for row in rows if (row.seed, row.quantity, row.efficiency) == (1, "pt", 0.1)]
    assert len(by_pt) == 8
    assert by_pt[0].one_cut < 0.001
    assert by_pt[-1].one_cut > 0.4
    # Within a bin of pT the score still grows: of each pair of bins one has less, their mean is flat.
    means = [np.mean([low.cut_by_pt, high.cut_by_pt]) for low, high in zip(by_pt[::2], by_pt[1::2], strict=True)]
    assert means == pytest.approx([0.1] * 4, abs=0.02)
    flat = [row for row in rows if (row.seed, row.efficiency) == (2, 0.1)]
    pulls = np.array(
        [[(row.one_cut - 0.1) / row.one_cut_error, (row.cut_by_pt - 0.1) / row.cut_by_pt_error] for row in flat]
    )
    assert np.abs(pulls).max() < 4


def test_tables_of_other_trainings_and_too_few_jets_are_refused(tables, tmp_path):
    other = table(tmp_path / "other.h5", 500, 1, "wnae")
    with pytest.raises(EvaluationError, match="hold scores of different trainings"):
        measure_flatness([tables[0]], [other])
    few = table(tmp_path / "few.h5", 300, 1)
    with pytest.raises(EvaluationError, match="thresholds in 4 bins of pT take 400 validation jets"):
        measure_flatness([few], [tables[1]])


def test_the_programs_write_tables_and_a_figure(tables, tmp_path):
    files = {name: tmp_path / f"{name}.csv" for name in ("thresholds", "flatness")}
    given = ["--validation", tables[0], "--test", tables[1]]
    done = run_program(
        ["measure_flatness", *given, "--thresholds", files["thresholds"], "--flatness", files["flatness"]]
    )
    assert done.returncode == 0, done.stderr
    known = read_rows(files["thresholds"], ThresholdRow)
    assert [(row.seed, row.pt_min) for row in known[:4]] == [(1, None), (1, None), (1, None), (1, known[3].pt_min)]
    rows = read_rows(files["flatness"], FlatnessRow)
    figure = flatness_figure(rows, 0.1, Titles({"ae": "AE"}), "Simulation")
    assert len(figure.axes) == 4
    (line,) = figure.axes[1].lines[:1]
    own = [row for row in rows if (row.quantity, row.efficiency, row.seed) == ("pt", 0.1, 1)]
    both = [row for row in rows if (row.quantity, row.efficiency, row.seed) == ("pt", 0.1, 2)]
    assert line.get_ydata() == pytest.approx([(a.one_cut + b.one_cut) / 2 for a, b in zip(own, both, strict=True)])
    done = run_program(["plot_flatness", "--flatness", files["flatness"], "--output", tmp_path / "f.png"])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "f.png").stat().st_size > 10_000
    with pytest.raises(FigureError, match=r"no threshold at background efficiency 0\.7 is known"):
        flatness_figure(rows, 0.7, Titles({}), "")
