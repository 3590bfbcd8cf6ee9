"""From a scorer and feature tables to score tables, AUC tables and monitoring."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from jet_table import COLUMNS
from markdown_cells import cells_of
from oddjet.detectors.opening import Method, one_method
from oddjet.errors import DatasetError, EvaluationError, TableError
from oddjet.evaluation.auc import AucRow, SampleScores, compute_auc
from oddjet.evaluation.bootstrap import grid_replicas
from oddjet.evaluation.curves import read_scores
from oddjet.evaluation.ensembles import mean_scores, members_of
from oddjet.evaluation.figures_of_merit import GRID, MeritRow, merit_rows
from oddjet.evaluation.merit_summary import shown_merits, write_merit_summary
from oddjet.evaluation.score_table import open_scores, read_method
from oddjet.evaluation.scores import auc_rows, score_samples
from oddjet.evaluation.settings import EvaluationSettings, MeritSettings
from oddjet.evaluation.signals import Signal, files_of, grid_point, parse_signals
from oddjet.evaluation.snapshots import MonitoredJets
from oddjet.io.csv import read_rows
from oddjet.io.tables import Column, read_attributes, read_columns, read_table, write_table
from oddjet.io.weights import sample_factors
from programs import run_program

METHOD = Method("ae", (4, 9), (120, 80))
SETTINGS = EvaluationSettings(minimum_signal_jets=50)


def write_jets(path: Path, count: int, center: float, seed: int) -> Path:
    generator = np.random.default_rng(seed)
    jets = np.zeros(count, dtype=[(column.name, column.dtype) for column in COLUMNS])
    jets["event"] = jets["entry"] = np.arange(count)
    jets["pt"], jets["weight"] = generator.uniform(500, 1000, count), generator.uniform(0.5, 1.5, count)
    jets["tau2"] = generator.normal(center, 1.0, count)
    write_table(path, COLUMNS, jets, {})
    return path


def scorer(jets: np.ndarray) -> np.ndarray:
    """Two seeds: one knows the direction of the signal, the other one is wrong about it."""
    return np.column_stack([jets["tau2"].astype(float), -jets["tau2"].astype(float)])


@pytest.fixture
def samples(tmp_path: Path) -> tuple[Path, list[Signal]]:
    background = write_jets(tmp_path / "test.h5", 400, 0.0, 1)
    one = write_jets(tmp_path / "one.h5", 90, 1.0, 2)
    two = write_jets(tmp_path / "two.h5", 60, 1.0, 3)
    other = write_jets(tmp_path / "other.h5", 70, 0.3, 4)
    return background, parse_signals(
        [f"svj_mphi-2000_rinv-0p3={one},{two}", f"odd={other}"], '{"odd": {"m_phi": 1500, "r_inv": 0.25}}'
    )


def test_every_jet_is_scored_once_and_keeps_its_numbers(tmp_path: Path, samples: tuple[Path, list[Signal]]) -> None:
    background, signals = samples
    opened = one_method(METHOD, scorer)
    score_samples(opened, background, signals, [tmp_path / "scores.h5"], SETTINGS, {"script": "score"})
    table = read_table(tmp_path / "scores.h5")
    assert np.bincount(table["sample"]).tolist() == [400, 150, 70]
    files = [background, *(path for signal in signals for path in signal.files)]
    jets = np.concatenate([read_table(path) for path in files])
    for name in ("run", "luminosityBlock", "event", "jet_rank", "pt", "mass", "weight"):
        np.testing.assert_array_equal(table[name], jets[name])
    np.testing.assert_array_equal(table["score"], scorer(jets))
    assert read_method(tmp_path / "scores.h5") == METHOD
    assert json.loads(read_attributes(tmp_path / "scores.h5")["samples"]) == [
        "background",
        "svj_mphi-2000_rinv-0p3",
        "odd",
    ]
    assert read_columns(tmp_path / "scores.h5")[5] == COLUMNS[4]


def test_data_are_scored_and_in_no_figure_of_merit(tmp_path: Path, samples: tuple[Path, list[Signal]]) -> None:
    background, signals = samples
    data = {"run": [write_jets(tmp_path / "run.h5", 30, 0.1, 5)], "other_run": [write_jets(tmp_path / "b.h5", 5, 0, 6)]}
    paths = {name: tmp_path / f"{name}.h5" for name in ("with", "without")}
    for name, path in paths.items():
        given = data if name == "with" else None
        score_samples(one_method(METHOD, scorer), background, signals, [path], SETTINGS, {}, data=given)
    table = read_table(paths["with"])
    assert np.bincount(table["sample"]).tolist() == [400, 150, 70, 30, 5]
    assert read_method(paths["with"]) == METHOD
    assert auc_rows(paths["with"]) == auc_rows(paths["without"])
    settings = MeritSettings(replicas=20)
    merits = [merit_rows(path, settings) for path in paths.values()]
    assert repr(merits[0]) == repr(merits[1])  # NaN is not equal to itself
    means = [grid_replicas([path], settings)["background"]["ae"] for path in paths.values()]
    np.testing.assert_array_equal(*means)
    (one,) = read_scores([paths["with"]]).values()
    assert one.data == {"run": 3, "other_run": 4}
    np.testing.assert_array_equal(one.scores[3], scorer(read_table(tmp_path / "run.h5")))
    (other,) = read_scores([paths["without"]]).values()
    np.testing.assert_array_equal(one.mean_roc(), other.mean_roc())
    members = members_of([], [paths["with"]])
    with pytest.raises(EvaluationError, match="2 seeds are averaged"):
        mean_scores(members, read_table(background))


def test_kept_columns_are_in_the_score_table(tmp_path: Path, samples: tuple[Path, list[Signal]]) -> None:
    kept = Column("MET_pt", "f8", "", "MET_pt of the file; in the units of the file.")
    told = {"jet_settings": json.dumps({"keep": {"MET_pt": "MET_pt"}})}
    files = [samples[0], *(path for signal in samples[1] for path in signal.files)]
    for path in files:
        jets = read_table(path)
        rows = np.zeros(len(jets), [*jets.dtype.descr, ("MET_pt", "f8")])
        for name in jets.dtype.names:
            rows[name] = jets[name]
        # Of the signals all that a score tells: planed in it, nothing is left of the difference.
        rows["MET_pt"] = np.round(jets["tau2"], 1)
        write_table(path, [*COLUMNS, kept], rows, told)
    score_samples(one_method(METHOD, scorer), *samples, [tmp_path / "scores.h5"], SETTINGS, {})
    expected = np.concatenate([read_table(path)["MET_pt"] for path in files])
    np.testing.assert_array_equal(read_table(tmp_path / "scores.h5")["MET_pt"], expected)
    rows = merit_rows(tmp_path / "scores.h5", MeritSettings(replicas=20, planing_bins=8, planed=("MET_pt", "absent")))
    means = {row.merit: row.value for row in rows if row.signal == GRID and row.seed == 4}
    assert means["auc"] > 0.65
    assert means["auc_planed"] == pytest.approx(means["auc"], abs=0.03)
    assert means["auc_planed_in_MET_pt"] == pytest.approx(0.5, abs=0.04)
    assert not any("absent" in name for name in means)
    assert list(shown_merits(rows).values())[:3] == ["AUC", "AUC, pT planed", "AUC, MET_pt planed"]
    assert "AUC, MET_pt planed" in write_merit_summary(rows)


def test_a_cross_section_weights_its_signal(tmp_path: Path, samples: tuple[Path, list[Signal]]) -> None:
    background, signals = samples
    for name, factors in (("plain", None), ("weighted", {"odd": 0.5})):
        score_samples(one_method(METHOD, scorer), background, signals, [tmp_path / f"{name}.h5"], SETTINGS, {}, factors)
    plain, weighted = (read_table(tmp_path / f"{name}.h5") for name in ("plain", "weighted"))
    expected = np.where(plain["sample"] == 2, 0.5, 1.0) * plain["weight"]
    np.testing.assert_allclose(weighted["weight"], expected, rtol=1e-6)
    assert [row.auc for row in auc_rows(tmp_path / "weighted.h5")] == pytest.approx(
        [row.auc for row in auc_rows(tmp_path / "plain.h5")], rel=1e-9
    )


def test_a_cross_section_of_no_signal_is_refused(samples: tuple[Path, list[Signal]]) -> None:
    names = ("svj_mphi-2000_rinv-0p3", "odd")
    assert sample_factors(files_of(samples[1]), {}) == dict.fromkeys(names, 1.0)
    with pytest.raises(DatasetError, match="'even' is no sample of the tables; they are svj_mphi-2000_rinv-0p3, odd"):
        sample_factors(files_of(samples[1]), {"even": 1.0})


def test_auc_rows_by_seed_and_signal(tmp_path: Path, samples: tuple[Path, list[Signal]]) -> None:
    background, signals = samples
    score_samples(one_method(METHOD, scorer), background, signals, [tmp_path / "scores.h5"], SETTINGS, {})
    rows = auc_rows(tmp_path / "scores.h5")
    assert [(row.seed, row.signal, row.point) for row in rows] == [
        (4, "svj_mphi-2000_rinv-0p3", {"m_phi": 2000.0, "r_inv": 0.3}),
        (4, "odd", {"m_phi": 1500.0, "r_inv": 0.25}),
        (9, "svj_mphi-2000_rinv-0p3", {"m_phi": 2000.0, "r_inv": 0.3}),
        (9, "odd", {"m_phi": 1500.0, "r_inv": 0.25}),
    ]
    table = read_table(background), read_table(signals[1].files[0])
    expected = compute_auc(*(SampleScores("x", jets["tau2"], jets["weight"]) for jets in table))
    assert (rows[1].auc, rows[1].auc_error) == pytest.approx(expected, rel=1e-12)
    assert (rows[1].n_signal, rows[1].n_background) == (70, 400)
    assert rows[3].auc == pytest.approx(1 - expected.value, abs=1e-12)


def test_monitoring_gives_the_same_auc_as_scoring(tmp_path: Path, samples: tuple[Path, list[Signal]]) -> None:
    background, signals = samples
    score_samples(one_method(METHOD, scorer), background, signals, [tmp_path / "scores.h5"], SETTINGS, {})

    def transform(jets: np.ndarray) -> np.ndarray:
        return jets["tau2"].reshape(-1, 1)

    snapshots = [
        (10, lambda scaled: np.zeros((len(scaled), 2))),
        (20, lambda scaled: np.column_stack([scaled[:, 0], -scaled[:, 0]])),
    ]
    jets = MonitoredJets(transform, background, signals)
    rows = list(jets.auc_by_epoch(snapshots, "ae", METHOD.seeds))
    assert [(row.epoch, row.seed) for row in rows] == [(e, s) for e in (10, 20) for s in (4, 9) for _ in signals]
    # One score for all jets: no AUC.
    assert all(math.isnan(row.auc) and math.isnan(row.auc_error) for row in rows[:4])
    for row, expected in zip(rows[4:], auc_rows(tmp_path / "scores.h5"), strict=True):
        assert (row.auc, row.auc_error) == (expected.auc, expected.auc_error)
        assert (row.point, row.n_signal) == (expected.point, expected.n_signal)


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("svj_mphi-2000_rinv-0p3", {"m_phi": 2000.0, "r_inv": 0.3}),
        ("svj_mphi-1500p5_rinv-1_mdark-20", {"m_phi": 1500.5, "r_inv": 1.0}),
        ("rinv-0_mphi-600", {"m_phi": 600.0, "r_inv": 0.0}),
        ("emerging", {}),
        ("svj_mphi-x_rinv-0p3", {}),
    ],
)
def test_grid_points_are_read_from_names(name: str, point: tuple[float, float]) -> None:
    assert grid_point(name) == pytest.approx(point, nan_ok=True)


@pytest.mark.parametrize(
    ("arguments", "points", "message"),
    [
        (["svj"], None, "'svj' is not NAME=FILE"),
        (["=a.h5"], None, "is not NAME=FILE"),
        (["svj=a.h5", "svj=b.h5"], None, "each name once"),
        (["svj=a.h5"], '{"other": {"m_phi": 1}}', "'other' is no signal; the signals are svj"),
        (["svj=a.h5"], "[1]", "not a JSON object"),
        (["svj=a.h5"], '{"svj": 3}', "not a JSON object"),
        (["svj=a.h5"], "{", "not a JSON object"),
    ],
)
def test_wrong_signal_arguments_are_refused(arguments: list[str], points: str | None, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        parse_signals(arguments, points)


def test_the_scripts_turn_scores_into_auc_and_summary(tmp_path: Path, samples: tuple[Path, list[Signal]]) -> None:
    background, signals = samples
    scores = tmp_path / "scores.h5"
    score_samples(one_method(METHOD, scorer), background, signals, [scores], SETTINGS, {})
    run("evaluate", "--scores", scores, "--auc", tmp_path / "ae.csv", "--merit", tmp_path / "merit/ae.csv")
    rows = read_rows(tmp_path / "ae.csv", AucRow)
    assert [row.auc for row in rows] == pytest.approx([row.auc for row in auc_rows(scores)], abs=1e-8)
    merit = tmp_path / "merit/ae.csv"
    assert read_rows(merit, MeritRow)
    run("summarize", "--auc", tmp_path / "ae.csv", "--merit", merit, "--scores", scores, "--folder", tmp_path)
    assert (tmp_path / "leaderboard.csv").read_bytes() == (tmp_path / "ae.csv").read_bytes()
    assert (tmp_path / "merit.csv").read_bytes() == merit.read_bytes()
    assert cells_of((tmp_path / "summary.md").read_text())[1][:3] == ["AE", "2", "120, 80"]


def run(script: str, *arguments: object) -> None:
    command = [f"workflow/scripts/{script}.py", *map(str, arguments)]
    done = run_program(command)
    assert done.returncode == 0, done.stderr


def test_a_seed_with_one_score_has_no_auc_and_is_named(
    tmp_path: Path, samples: tuple[Path, list[Signal]], caplog: pytest.LogCaptureFixture
) -> None:
    background, signals = samples
    flat = lambda jets: np.column_stack([jets["tau2"], np.full(len(jets), 2.0)])  # noqa: E731
    score_samples(one_method(METHOD, flat), background, signals, [tmp_path / "scores.h5"], SETTINGS, {})
    rows = auc_rows(tmp_path / "scores.h5")
    assert [math.isnan(row.auc) for row in rows] == [row.seed == METHOD.seeds[1] for row in rows]
    assert f"method ae, seed 9, signal {signals[0].name} has no AUC" in caplog.text
    assert "have the score 2" in caplog.text


def test_no_number_tells_how_many_rows_were_in_memory(
    tmp_path: Path, samples: tuple[Path, list[Signal]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores, AUCs, and means of the bootstrap are the same with seven rows at a time."""
    background, signals = samples
    found = []
    for name in ("whole", "parts"):
        path = tmp_path / f"{name}.h5"
        score_samples(one_method(METHOD, scorer), background, signals, [path], SETTINGS, {})
        means = grid_replicas([path], MeritSettings(replicas=20))["background"]["ae"]
        found.append((read_table(path), auc_rows(path), merit_rows(path, MeritSettings(replicas=20)), means))
        monkeypatch.setattr("oddjet.detectors.opening.ROWS_AT_A_TIME", 7)
        monkeypatch.setattr("oddjet.io.tables.ROWS_AT_A_TIME", 7)
        monkeypatch.setattr("oddjet.evaluation.bootstrap.EVENTS_AT_A_TIME", 7)
    (whole, *numbers), (parts, *others) = found
    np.testing.assert_array_equal(whole, parts)
    assert str(numbers[:2]) == str(others[:2])
    np.testing.assert_array_equal(numbers[2], others[2])


def test_the_scores_of_a_seed_are_read_without_those_of_the_others(
    tmp_path: Path, samples: tuple[Path, list[Signal]]
) -> None:
    background, signals = samples
    path = tmp_path / "scores.h5"
    score_samples(one_method(METHOD, scorer), background, signals, [path], SETTINGS, {})
    table = open_scores(path, ["weight"])
    assert table.rows.dtype.names == ("sample", "weight")
    whole = read_table(path)
    for place, (seed, scores) in enumerate(table.seeds()):
        assert seed == METHOD.seeds[place]
        np.testing.assert_array_equal(scores, whole["score"][:, place])
    assert [len(own) for own in table.of_samples()] == [400, 150, 70]
    with pytest.raises(TableError, match="column 'nothing' is missing"):
        open_scores(path, ["nothing"])


def test_without_signals_the_background_alone_is_measured(tmp_path: Path, samples: tuple[Path, list[Signal]]) -> None:
    path = tmp_path / "scores.h5"
    score_samples(one_method(METHOD, scorer), samples[0], [], [path], SETTINGS, {})
    assert auc_rows(path) == []
    assert [row.merit for row in merit_rows(path, MeritSettings(replicas=20))] == 2 * ["score_mass_correlation"]
