"""An ABCD estimate: distance correlation against its definition, the choice of the pair, closure and its error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oddjet.errors import EvaluationError, FigureError
from oddjet.evaluation.abcd import ClosureRow, PairRow, closure_rows, estimate_abcd, pairs_of, regions
from oddjet.evaluation.curves import MethodScores, read_scores
from oddjet.evaluation.distance_correlation import centered_distances, distance_correlation
from oddjet.evaluation.settings import AbcdSettings
from oddjet.io.csv import read_rows
from oddjet.plotting.abcd import Closure, draw_abcd
from programs import run_program
from score_tables import jets_of, write_scores


def correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    shares = weights / weights.sum()
    return distance_correlation(centered_distances(x, shares), centered_distances(y, shares), shares)


def plain_twin(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Distance covariance as a difference of means of products (Szekely 2007, remark 3), sums written out."""
    p, n = weights / weights.sum(), range(len(x))

    def covariance(u: np.ndarray, v: np.ndarray) -> float:
        both = sum(p[i] * p[j] * abs(u[i] - u[j]) * abs(v[i] - v[j]) for i in n for j in n)
        means = [sum(p[i] * p[j] * abs(one[i] - one[j]) for i in n for j in n) for one in (u, v)]
        triple = sum(p[i] * p[j] * p[k] * abs(u[i] - u[j]) * abs(v[i] - v[k]) for i in n for j in n for k in n)
        return both + means[0] * means[1] - 2 * triple

    return np.sqrt(covariance(x, y) / np.sqrt(covariance(x, x) * covariance(y, y)))


@pytest.mark.parametrize("signed", [False, True])
def test_the_kernel_is_the_definition(signed):
    generator = np.random.default_rng(2)
    x, y = generator.normal(size=(2, 12))
    weights = generator.uniform(0.5, 2.0, 12)
    weights[3] *= -0.1 if signed else 1.0
    assert correlation(x, y + x, weights) == pytest.approx(plain_twin(x, y + x, weights), rel=1e-12)


def test_a_weight_of_two_is_the_jet_twice():
    x, y = np.random.default_rng(5).normal(size=(2, 30))
    twice = np.r_[np.arange(30), 4, 7]
    weights = np.bincount(twice).astype(float)
    assert correlation(x, y, weights) == pytest.approx(correlation(x[twice], y[twice], np.ones(32)), rel=1e-12)


def test_it_sees_what_a_straight_line_does_not():
    x = np.linspace(-1, 1, 201)
    ones = np.ones(201)
    assert correlation(x, 3 - 2 * x, ones) == pytest.approx(1.0)
    assert abs(np.corrcoef(x, x**2)[0, 1]) < 1e-12
    assert 0.4 < correlation(x, x**2, ones) < 0.6
    # Independent by construction: every pair of values once.
    first, second = (grid.ravel() for grid in np.meshgrid(np.arange(15.0), np.arange(15.0) ** 2))
    assert correlation(first, second, np.ones(225)) == pytest.approx(0.0, abs=1e-7)
    assert np.isnan(correlation(x, ones, ones))


def test_regions_are_those_of_both_cuts():
    first, second = np.array([2.0, 2.0, 0.0, 0.0, 2.0]), np.array([2.0, 0.0, 2.0, 0.0, 2.0])
    jets = jets_of(np.linspace(500, 1000, 5), first)
    jets["weight"] = [1.0, 2.0, 4.0, 8.0, 0.5]
    found = regions((first, second), (1.0, 1.0), jets)
    assert found.weights.tolist() == [1.5, 2, 4, 8]
    assert found.covariance.tolist() == np.diag([1.25, 4, 16, 64]).tolist()
    assert found.estimate == 1.0
    # The two jets in A of one event, and those in B and C of another.
    jets["entry"] = [0, 1, 1, 2, 0]
    expected = np.diag([1.5**2, 4, 16, 64])
    expected[1, 2] = expected[2, 1] = 8
    assert regions((first, second), (1.0, 1.0), jets).covariance.tolist() == expected.tolist()


def test_jets_that_are_there_twice_make_no_error_smaller():
    values = {name: scores_of(3000, 7, 0.0 if name == "background" else 1.0) for name in ("background", "signal")}
    known = methods(scores_of(20_000, 1), values["signal"])
    twice = {name: {key: np.tile(one, 2) for key, one in own.items()} for name, own in values.items()}
    alone, others = (methods(*(one[name] for name in values)) for one in (values, twice))
    (single,) = closure_rows(("one", "other"), known, alone, [0.2])
    (apart,) = closure_rows(("one", "other"), known, others, [0.2])
    for one in others.values():
        for jets in one.jets:
            jets["entry"] %= len(jets) // 2
    (paired,) = closure_rows(("one", "other"), known, others, [0.2])
    for name in ("closure_error", "closure_with_signal_error"):
        assert getattr(paired, name) == pytest.approx(getattr(single, name), rel=1e-9)
        assert getattr(paired, name) == pytest.approx(np.sqrt(2) * getattr(apart, name), rel=1e-9)


def test_the_closure_of_events_of_two_jets_is_one_within_its_error():
    """Half of the events have a second jet like the first: their number alone would make the error too small."""
    known, pulls = methods(scores_of(50_000, 1), scores_of(10, 2)), []
    for trial in range(150):
        own = {name: np.concatenate([one, one[:1000]]) for name, one in scores_of(2000, 300 + trial).items()}
        test = methods(own, scores_of(500, 7, 1.0))
        for one in test.values():
            one.jets[0]["entry"] %= 2000
        (row,) = closure_rows(("one", "other"), known, test, [0.3])
        pulls.append((row.closure - 1) / row.closure_error)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.15)


def scores_of(jets: int, seed: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    """`one` and `other` are independent on background, `both` has to do with either."""
    one, other, noise = np.random.default_rng(seed).exponential(size=(3, jets)) + shift
    return {"one": one, "other": other, "both": one + other + 0.1 * noise}


def methods(background: dict[str, np.ndarray], signal: dict[str, np.ndarray]) -> dict[str, MethodScores]:
    parts = [jets_of(np.linspace(500, 1000, len(one["one"])), one["one"]) for one in (background, signal)]
    return {
        name: MethodScores(
            name, (1,), {"svj": (2000.0, 0.3)}, parts, [background[name][:, None], signal[name][:, None]]
        )
        for name in background
    }


def test_the_pair_is_the_least_correlated_one_and_signal_has_no_part_in_it():
    known = methods(scores_of(800, 1), scores_of(50, 2, 1.0))
    pairs = pairs_of(known, 600)
    assert (pairs[0].first, pairs[0].second) == ("one", "other")
    assert pairs[0].distance_correlation < 0.12 < 0.4 < pairs[1].distance_correlation
    # What is dealt out at random is independent.
    assert all(row.shuffled < 0.12 and row.jets == 600 for row in pairs)
    assert pairs_of(methods(scores_of(800, 1), scores_of(50, 9, 5.0)), 600) == pairs
    # A cut sees the order of the jets alone.
    stretched = {name: np.exp(values) for name, values in scores_of(800, 1).items()}
    assert pairs_of(methods(stretched, scores_of(50, 2)), 600) == pairs


def test_closure_of_independent_scores_is_one_within_its_error():
    known = methods(scores_of(50_000, 1), scores_of(10, 2))
    pulls = []
    for trial in range(150):
        test = methods(scores_of(2000, 100 + trial), scores_of(500, 7, 1.0))
        (row,) = closure_rows(("one", "other"), known, test, [0.3])
        pulls.append((row.closure - 1) / row.closure_error)
        assert row.a + row.b + row.c + row.d == 2000
    assert np.mean(pulls) == pytest.approx(0.0, abs=0.3)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.2)
    # Signal is in B, C and D too, and the estimate takes it for background.
    assert row.closure_with_signal > row.closure + row.closure_error


def test_closure_with_signal_by_hand():
    background = {
        name: np.repeat([[3.0, 3.0], [3, 0], [0, 3], [0, 0]], [10, 40, 20, 80], axis=0)[:, i]
        for i, name in enumerate(("one", "other"))
    }
    signal = {
        name: np.repeat([[3.0, 3.0], [3, 0], [0, 0]], [5, 2, 1], axis=0)[:, i]
        for i, name in enumerate(("one", "other"))
    }
    test = methods(background, signal)
    known = methods({"one": np.linspace(0, 2, 99), "other": np.linspace(0, 2, 99)}, signal)
    (row,) = closure_rows(("one", "other"), known, test, [0.3])
    assert (row.a, row.b, row.c, row.d, row.estimate, row.closure) == (10, 40, 20, 80, 10, 1)
    assert row.closure_error == pytest.approx(np.sqrt(1 / 10 + 1 / 40 + 1 / 20 + 1 / 80))
    assert row.signal_efficiency == 5 / 8
    # Twice the signal puts as much of it into A as there is background: 44 * 20 / 82.
    assert row.closure_with_signal == pytest.approx(44 * 20 / 82 / 10)
    variances = (40 + 4 * 2) / 44**2 + 20 / 20**2 + (80 + 4 * 1) / 82**2
    assert row.closure_with_signal_error == pytest.approx(row.closure_with_signal * np.sqrt(variances + 1 / 10))


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("tables")
    made: dict[str, list[Path]] = {"validation": [], "test": []}
    for part, samples in {"validation": {"b": 400}, "test": {"b": 1000, "svj_mphi-2000_rinv-0p3": 300}}.items():
        values = {name: scores_of(count, count, 1.0 if "svj" in name else 0.0) for name, count in samples.items()}
        jets = {name: jets_of(np.linspace(500, 1000, len(one["one"])), one["one"]) for name, one in values.items()}
        for method in ("both", "one", "other"):
            scores = {name: np.stack([one[method], one[method]], axis=1) for name, one in values.items()}
            made[part].append(write_scores(folder / f"{part}_{method}.h5", method, jets, scores, seeds=(1, 2)))
    return made


def test_the_programs_choose_a_pair_and_draw_it(tables, tmp_path):
    files = {name: tmp_path / f"{name}.csv" for name in ("pairs", "closure")}
    given = ["--validation", *tables["validation"], "--test", *tables["test"]]
    done = run_program(["estimate_abcd", *given, "--pairs", files["pairs"], "--closure", files["closure"]])
    assert done.returncode == 0, done.stderr
    pairs, rows = read_rows(files["pairs"], PairRow), read_rows(files["closure"], ClosureRow)
    assert (pairs[0].first, pairs[0].second, len(pairs)) == ("one", "other", 3)
    assert [(row.point, row.efficiency) for row in rows] == [
        ({"m_phi": 2000, "r_inv": 0.3}, e) for e in (0.5, 0.3, 0.2, 0.1)
    ]
    assert all(abs(row.closure - 1) < 4 * row.closure_error for row in rows)
    drawn = ["--pairs", files["pairs"], "--closure", files["closure"], "--output", tmp_path / "a.png"]
    done = run_program(["plot_abcd", *drawn])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_what_cannot_be_paired_is_refused_in_one_line(tables):
    settings = AbcdSettings()
    with pytest.raises(EvaluationError, match="an ABCD estimate needs two methods, not 1"):
        estimate_abcd(tables["validation"][:1], tables["test"][:1], settings)
    with pytest.raises(EvaluationError, match="other: validation and test scores are of different seeds"):
        estimate_abcd(tables["validation"][:2], tables["test"], settings)
    known = read_scores(tables["validation"])
    tested = read_scores(tables["test"])
    with pytest.raises(EvaluationError, match="one: scores of other validation jets than the first method"):
        pairs_of({"both": tested["both"], "one": known["one"]}, 100)
    (folder,) = {path.parent for path in tables["test"]}
    values = scores_of(1000, 1)["one"][:, None]
    jets = jets_of(np.linspace(500, 999, 1000), values[:, 0])
    own = {"b": jets, "svj_mphi-2000_rinv-0p3": jets[:300]}
    scores = {name: np.repeat(values[: len(one)], 2, axis=1) for name, one in own.items()}
    elsewhere = write_scores(folder / "elsewhere.h5", "one", own, scores, seeds=(1, 2))
    with pytest.raises(EvaluationError, match="one: scores of other test jets than the first method"):
        estimate_abcd(tables["validation"][:2], [tables["test"][0], elsewhere], settings)


def test_the_figure_shows_every_pair_once():
    closure = Closure([0.3, 0.1], [1.0, 1.1], [0.05, 0.2])
    pairs = {("A", "B"): 0.1, ("C", "A"): 0.3, ("B", "C"): 0.5}
    figure = draw_abcd(pairs, 0.04, closure, {"with signal": closure}, "Simulation", "A and B")
    assert sorted(text.get_text() for text in figure.axes[0].texts[:3]) == ["0.10", "0.30", "0.50"]
    with pytest.raises(FigureError, match="no pair of methods to draw"):
        draw_abcd({}, 0.0, closure, {}, "", "")
