"""Errors of means over the grid, and paired differences: against independent samples of known law."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow, SampleScores, compute_auc
from oddjet.evaluation.bootstrap import EVENT, Replicas, auc_replicas, grid_replicas, standard_error
from oddjet.evaluation.figures_of_merit import GRID, MeritRow
from oddjet.evaluation.grid import NO_BASELINE, GridRow, difference, grid_rows
from oddjet.evaluation.scores import auc_rows
from oddjet.evaluation.settings import MeritSettings
from oddjet.evaluation.summary import average_over_grid
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.tables import Column, write_table
from programs import run_program

BACKGROUND, SIGNAL, POINTS = 400, 100, 12
SETTINGS = MeritSettings(replicas=200)
MERIT = MeritRow("", 1, GRID, {}, "auc_planed", 0.8, 0.01, math.nan)


def draw(seed: int) -> list[np.ndarray]:
    """Two scores of background and of each signal, shape (n, 2): the second one is the first one and some noise."""
    generator = np.random.default_rng(seed)
    made = []
    for count, centre in [(BACKGROUND, 0.0), *((SIGNAL, 0.5 + 0.1 * point) for point in range(POINTS))]:
        first = generator.normal(centre, 1.0, count)
        made.append(np.column_stack([first, first + generator.normal(0.0, 0.6, count)]))
    return made


def mean_auc(made: list[np.ndarray], column: int) -> float:
    background, *signals = (SampleScores("x", scores[:, column]) for scores in made)
    return float(np.mean([compute_auc(background, signal).value for signal in signals]))


def write(path: Path, made: list[np.ndarray], method: str, seeds: tuple[int, ...], weights: object = 1.0) -> Path:
    columns = [*(Column(name, "u8", "1", "identifier") for name in EVENT), Column("sample", "i2", "1", "sample")]
    columns += [Column("weight", "f4", "1", "weight"), Column("score", f"({len(seeds)},)f8", "1", "score")]
    rows = np.zeros(sum(map(len, made)), dtype=[(column.name, column.dtype) for column in columns])
    rows["sample"] = np.repeat(np.arange(len(made)), [len(scores) for scores in made])
    rows[EVENT[-1]], rows["weight"], rows["score"] = np.arange(len(rows)), weights, np.concatenate(made)
    points = {f"svj_{point}": {"m_phi": 1000.0 + point, "r_inv": 0.1} for point in range(len(made) - 1)}
    attributes = {"method": method, "seeds": json.dumps(seeds), "epochs": json.dumps([1] * len(seeds))}
    names = json.dumps(["background", *points])
    attributes |= {"samples": names, "points": json.dumps(points), "backgrounds": '[["background", 0, null]]'}
    write_table(path, columns, rows, attributes)
    return path


def test_the_error_of_a_mean_is_the_spread_of_independent_samples(tmp_path: Path) -> None:
    """400 samples of one law give the truth; the mean of DeLong's errors is about twice as large."""
    toys = np.array([[mean_auc(made, column) for column in (0, 1)] for made in map(draw, range(100, 500))])
    paths = [tmp_path / "one.h5", tmp_path / "two.h5"]
    errors, of_difference, printed = [], [], []
    for seed in range(10):
        made = draw(seed)
        for column, path in enumerate(paths):
            write(path, [scores[:, [column]] for scores in made], path.stem, (1,))
        replicas = grid_replicas(paths, SETTINGS)
        (replicas,) = replicas.values()
        errors.append(standard_error(replicas["one"]))
        of_difference.append(standard_error(replicas["one"] - replicas["two"]))
        printed.append(average_over_grid(auc_rows(paths[0]))["one"].statistical)
    # 400 toys give a deviation to 4 %, ten samples of 200 replicas their mean to 3 %.
    assert np.mean(errors) == pytest.approx(toys[:, 0].std(), rel=0.12)
    assert np.mean(of_difference) == pytest.approx((toys[:, 0] - toys[:, 1]).std(), rel=0.12)
    assert np.mean(printed) > 1.3 * np.mean(errors)
    assert np.mean(of_difference) < 0.6 * np.mean(errors)


def test_replicas_are_aucs_of_weighted_jets() -> None:
    made = [scores.round(1) for scores in draw(1)]
    generator = np.random.default_rng(2)
    samples = [SampleScores("x", scores[:, 0], generator.choice([-0.5, 1.0, 2.0], len(scores))) for scores in made]
    jets = [np.zeros(len(scores), dtype=[(name, "u8") for name in EVENT]) for scores in made]
    for one in jets:
        one[EVENT[-1]] = np.arange(len(one)) // 2
    replicas = Replicas(jets, MeritSettings(replicas=40))
    found = auc_replicas(samples, replicas)
    assert found.shape == (POINTS, 40)
    for point, replica in ((0, 0), (3, 33), (POINTS - 1, 39)):
        background, signal = (
            SampleScores("x", samples[code].scores, samples[code].weights * list(replicas.each(code))[replica])
            for code in (0, point + 1)
        )
        assert found[point, replica] == pytest.approx(compute_auc(background, signal).value, rel=1e-12)
    # Both jets of an event together, and one signal alone as among the others.
    assert all((drawn[::2] == drawn[1::2]).all() for drawn in replicas.each(0))
    np.testing.assert_allclose(auc_replicas([samples[0], samples[4]], replicas, (0, 4))[0], found[3], rtol=1e-12)


def test_only_tables_of_the_same_jets_have_the_same_replicas(tmp_path: Path) -> None:
    made = draw(1)
    one = write(tmp_path / "one.h5", made, "one", (1, 2))
    other = write(tmp_path / "other.h5", made, "other", (1, 2), weights=2.0)
    with pytest.raises(EvaluationError, match=r"other\.h5: other jets, or other weights, than in .*one\.h5"):
        grid_replicas([one, other], SETTINGS)
    fewer = write(tmp_path / "fewer.h5", [scores[1:] for scores in made], "fewer", (1, 2))
    with pytest.raises(EvaluationError, match=r"fewer\.h5: other jets"):
        grid_replicas([one, fewer], SETTINGS)


def rows(method: str, aucs: dict[int, list[float]]) -> list[AucRow]:
    return [
        AucRow(method, seed, f"svj_{n}", {"m_phi": 1000.0 + n, "r_inv": 0.1}, auc, 0.03, 100, 400)
        for seed, values in aucs.items()
        for n, auc in enumerate(values)
    ]


def test_the_reference_is_the_best_baseline_and_the_difference_is_paired() -> None:
    table = [
        *rows("wnae", {1: [0.80, 0.90], 2: [0.82, 0.92]}),
        *rows("pca", {1: [0.70, 0.80]}),
        *rows("forest", {1: [0.75, 0.85]}),
        *rows("nae", {1: [0.9, math.nan]}),
    ]
    generator = np.random.default_rng(1)
    shared, own = generator.normal(0, 0.006, 200), generator.normal(0, 0.001, 200)
    replicas = {"wnae": 0.86 + shared + own, "pca": 0.75 + shared, "forest": 0.8 + shared, "nae": 0.9 + shared}
    found = {row.method: row for row in grid_rows(table, {"background": replicas}, ["pca", "forest"])}
    assert list(found) == ["wnae", "pca", "forest", "nae"]
    wnae = found["wnae"]
    assert (wnae.seeds, wnae.reference) == (2, "forest")
    assert (wnae.auc, wnae.spread) == pytest.approx((0.86, 0.02 / math.sqrt(2)))
    assert (wnae.error, wnae.difference_error) == pytest.approx((np.std(shared + own, ddof=1), np.std(own, ddof=1)))
    assert difference(wnae) == "+0.060 ± 0.001"
    assert difference(found["pca"]) == "-0.050 ± 0.000"
    assert difference(found["forest"]) == difference(found["nae"]) == "-"
    assert math.isnan(found["nae"].auc)
    alone = grid_rows(table, {"background": replicas})
    assert {row.reference for row in alone} == {NO_BASELINE}
    assert difference(alone[0]) == ""
    with pytest.raises(EvaluationError, match="method wnae has AUCs against background and no score table"):
        grid_rows(table, {})


def test_the_programs_write_means_and_differences(tmp_path: Path) -> None:
    made = draw(1)
    paths = []
    for name, part in (("wnae", made), ("forest", [scores[:, [1]] - 0.2 * (n > 0) for n, scores in enumerate(made)])):
        paths.append(write(tmp_path / f"{name}.h5", part, name, tuple(range(part[0].shape[1]))))
        write_rows(tmp_path / f"{name}.csv", auc_rows(paths[-1]), AucRow)
        write_rows(tmp_path / f"merit_{name}.csv", [replace(MERIT, method=name)], MeritRow)
    command = [
        "workflow/scripts/summarize.py",
        "--settings",
        '{"replicas": 50}',
        "--baselines",
        "forest",
    ]
    command += ["--auc", *(str(tmp_path / f"{name}.csv") for name in ("wnae", "forest"))]
    command += ["--merit", *(str(tmp_path / f"merit_{name}.csv") for name in ("wnae", "forest"))]
    command += ["--scores", *map(str, paths), "--folder", str(tmp_path)]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    wnae, forest = read_rows(tmp_path / "grid_means.csv", GridRow)
    assert (wnae.method, wnae.seeds, wnae.reference, forest.reference) == ("wnae", 2, "forest", "forest")
    assert wnae.difference == pytest.approx(wnae.auc - forest.auc, abs=1e-7)
    assert 0 < wnae.difference_error < wnae.error
    assert math.isnan(forest.difference)
    assert f"{wnae.auc:.3f} ± {math.hypot(wnae.error, wnae.spread):.3f}" in (tmp_path / "summary.md").read_text()
    # The same again in another process, to the last digit.
    first = (tmp_path / "grid_means.csv").read_bytes()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    assert (tmp_path / "grid_means.csv").read_bytes() == first
