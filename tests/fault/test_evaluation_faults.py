"""Bad samples and scores: one error that names them, and no score table that looks whole."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from oddjet.dataset.build import check_counts as check_part_counts
from oddjet.dataset.settings import DatasetSettings
from oddjet.dataset.split import PARTS
from oddjet.detectors.opening import Method, one_method
from oddjet.errors import DatasetError, EvaluationError, TableError
from oddjet.evaluation.scores import auc_rows, score_samples
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import Signal, check_counts
from oddjet.io.cutflow import BadFile, Cutflow
from oddjet.io.tables import Column, write_table
from programs import run_program

IDENTIFIERS = ("run", "luminosityBlock", "event", "source", "entry", "jet_rank")
COLUMNS = [
    *(Column(name, "u8", "1", "identifier") for name in IDENTIFIERS),
    *(Column(name, "f4", "GeV", "value") for name in ("pt", "mass", "weight", "tau2")),
]
METHOD = Method("wnae", (1, 2), (10, 10))


def write_jets(
    path: Path, count: int, columns: list[Column] = COLUMNS, attributes: dict[str, str] | None = None
) -> Path:
    write_table(path, columns, np.ones(count, [(column.name, column.dtype) for column in columns]), attributes or {})
    return path


def score(folder: Path, signals: list[Signal], bad: float = 1.0) -> None:
    def scorer(jets: np.ndarray) -> np.ndarray:
        values = np.ones((len(jets), 2))
        values[:3, 1] = bad if len(jets) == 40 else 1.0
        return values

    background = write_jets(folder / "test.h5", 100)
    settings = EvaluationSettings(minimum_signal_jets=30)
    score_samples(one_method(METHOD, scorer), background, signals, [folder / "scores.h5"], settings, {})


def test_a_grid_point_without_enough_jets_is_named_with_its_count(tmp_path: Path) -> None:
    files = (write_jets(tmp_path / "a.h5", 20), write_jets(tmp_path / "b.h5", 9))
    signals = [
        Signal("svj_mphi-2000_rinv-0p1", {"m_phi": 2000, "r_inv": 0.1}, (write_jets(tmp_path / "c.h5", 40),)),
        Signal("svj_mphi-4000_rinv-0p7", {"m_phi": 4000, "r_inv": 0.7}, files),
    ]
    with pytest.raises(EvaluationError, match=r"svj_mphi-4000_rinv-0p7 has 29 jets .* is 30\. Give more events"):
        score(tmp_path, signals)
    assert not [path for path in tmp_path.iterdir() if "scores" in path.name]


def test_too_few_jets_say_which_cut_took_them_and_which_files_were_skipped(tmp_path: Path) -> None:
    lost = Cutflow(events_read=20, events_without_selected_jet=20, jets_clustered=42, jets_pt_low=2, jets_pt_high=40)
    bad = BadFile("b.root", "TruncatedError", "b.root: truncated", 7)
    files = (
        write_jets(tmp_path / "a.h5", 9, attributes={"cutflow": lost.to_json()}),
        write_jets(tmp_path / "b.h5", 0, attributes={"cutflow": Cutflow().to_json(), "bad_file": bad.to_json()}),
    )
    said = (
        r"svj has 9 jets .* is 30\. Of their events: jets_pt_high takes 40 of 42 jets; their pT lies above pt_max: are "
        r"the momenta in MeV\?.* 1 files were skipped, the first: b\.root: truncated\. Give more"
    )
    with pytest.raises(EvaluationError, match=said):
        check_counts([Signal("svj", {"m_phi": 2000, "r_inv": 0.1}, files)], 30)
    settings = DatasetSettings(features=("tau2",))
    with pytest.raises(DatasetError, match=r"in 2 background file\(s\).*jets_pt_high takes 40 of 42 jets.*1 files"):
        check_part_counts(dict.fromkeys(PARTS, 3), settings, files)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_not_finite_are_named(tmp_path: Path, bad: float) -> None:
    signals = [Signal("svj_mphi-2000_rinv-0p1", {"m_phi": 2000, "r_inv": 0.1}, (write_jets(tmp_path / "c.h5", 40),))]
    with pytest.raises(
        EvaluationError, match=r"wnae, seed 2: 3 of 40 scores of sample svj_mphi-2000_rinv-0p1 are not finite"
    ):
        score(tmp_path, signals, bad)
    assert not [path for path in tmp_path.iterdir() if "scores" in path.name]


def test_a_feature_table_is_no_score_table(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"test\.h5: no attribute 'method'; give a table that score wrote"):
        auc_rows(write_jets(tmp_path / "test.h5", 10))


def test_a_background_without_identifiers_is_named(tmp_path: Path) -> None:
    background = write_jets(tmp_path / "test.h5", 10, COLUMNS[4:])
    with pytest.raises(TableError, match=r"test\.h5: no column run"):
        score_samples(one_method(METHOD, np.ones), background, [], [tmp_path / "scores.h5"], EvaluationSettings(), {})


def test_a_missing_score_table_ends_with_one_line_and_status_one(tmp_path: Path) -> None:
    outputs = ("--auc", tmp_path / "a.csv", "--merit", tmp_path / "b.csv")
    done = run_program(["evaluate.py", "--scores", "absent.h5", *outputs])
    assert done.returncode == 1
    assert done.stderr.startswith("error: absent.h5: no such file")
    assert not list(tmp_path.iterdir())
