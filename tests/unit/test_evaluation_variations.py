"""Systematic variations: changes computed by hand, the envelope, and that no training reads one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from jet_table import COLUMNS
from oddjet.detectors.opening import Method, one_method
from oddjet.errors import DatasetError, EvaluationError
from oddjet.evaluation.scores import score_samples
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import parse_signals
from oddjet.evaluation.variations import envelope, mean_shifts, variation_rows, write_variations
from oddjet.io.csv import read_rows
from oddjet.io.tables import Column, read_columns, read_table, write_table
from programs import run_program

PILE_UP = Column("weight_pileup_up", "f4", "1", "Weight under the variation pileup_up.")
SETTINGS = EvaluationSettings(minimum_signal_jets=2)


def write(path: Path, scores: list[float], weights: list[float], varied: list[float] | None = None) -> Path:
    columns = [*COLUMNS, *([PILE_UP] if varied else [])]
    jets = np.zeros(len(scores), dtype=[(column.name, column.dtype) for column in columns])
    jets["event"] = jets["entry"] = np.arange(len(scores))
    jets["tau2"], jets["weight"] = scores, weights
    if varied:
        jets["weight_pileup_up"] = varied
    write_table(path, columns, jets, {})
    return path


def scored(folder: Path, background: Path, signal: Path, seeds: tuple[int, ...] = (1,)) -> Path:
    folder.mkdir(exist_ok=True)
    output = folder / "scores.h5"
    method = Method("ae", seeds, (1,) * len(seeds))
    opened = one_method(method, lambda jets: np.repeat(jets["tau2"][:, None].astype(float), len(seeds), axis=1))
    score_samples(opened, background, parse_signals([f"svj={signal}"]), [output], SETTINGS, {})
    return output


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """Score tables, nominal with the weights of pile-up, and under jec_up."""
    background = write(tmp_path / "b.h5", [0, 1, 2, 3], [1, 1, 1, 1], [1, 1, 1, 3])
    signal = write(tmp_path / "s.h5", [1.5, 2.5, 3.5, 4], [1, 1, 1, 1], [2, 1, 1, 1])
    shifted = write(tmp_path / "bu.h5", [0, 1, 2, 3, 3.2], [1, 1, 1, 1, 1])
    other = write(tmp_path / "su.h5", [1.5, 2.5, 2.9], [1, 1, 1])
    return scored(tmp_path / "n", background, signal), scored(tmp_path / "u", shifted, other)


def test_changes_are_those_by_hand(tables: tuple[Path, Path]) -> None:
    nominal, shifted = tables
    rows = {row.variation: row for row in variation_rows([nominal], {"jec_up": [shifted]}, 0.25)}
    assert list(rows) == ["nominal", "pileup_up", "jec_up"]
    # The cut that a quarter of the background passes: 3. Pairs in which the signal is above: 2 + 3 + 4 + 4 of 16.
    assert rows["nominal"].auc == pytest.approx(13 / 16)
    assert (rows["nominal"].signal_efficiency, rows["nominal"].background_efficiency) == (0.5, 0.25)
    assert (rows["nominal"].auc_shift, rows["nominal"].signal_yield, rows["nominal"].background_yield) == (0, 1, 1)
    # With weights 1 1 1 3 and 2 1 1 1: (2 * 2 + 3 + 6 + 6) / 30; passed 2 of 5 and 3 of 6.
    pile_up = rows["pileup_up"]
    assert pile_up.auc == pytest.approx(19 / 30)
    assert pile_up.auc_shift == pytest.approx(19 / 30 - 13 / 16)
    assert pile_up.signal_efficiency_shift == pytest.approx(0.4 - 0.5)
    assert pile_up.background_efficiency_shift == pytest.approx(0.5 - 0.25)
    assert (pile_up.signal_yield, pile_up.background_yield) == (5 / 4, 6 / 4)
    # The shifted jets with the nominal cut of 3: none of 3, and 2 of 5.
    jec = rows["jec_up"]
    assert jec.auc == pytest.approx((2 + 3 + 3) / 15)
    assert (jec.signal_efficiency, jec.background_efficiency) == (0, 0.4)
    assert (jec.n_signal, jec.n_background, jec.signal_yield, jec.background_yield) == (3, 5, 3 / 4, 5 / 4)


def test_envelope_holds_the_lowest_and_the_highest_change(tables: tuple[Path, Path]) -> None:
    rows = variation_rows([tables[0]], {"jec_up": [tables[1]]}, 0.25)
    shifts = mean_shifts(rows, "ae", "auc_shift")
    assert shifts == pytest.approx({"pileup_up": 19 / 30 - 13 / 16, "jec_up": 8 / 15 - 13 / 16})
    assert envelope(shifts.values()) == pytest.approx((8 / 15 - 13 / 16, 0.0))
    text = write_variations(rows, 0.25)
    words = re.sub(r" +", " ", text)
    assert "| method | AUC | pileup_up | jec_up | envelope |" in words
    assert "| 0.8125 | -0.1792 | -0.2792 | -0.2792 +0.0000 |" in words
    assert "the cut that 0.25 of the nominal background passes" in " ".join(text.split())


def test_variation_of_other_seeds_is_refused(tables: tuple[Path, Path], tmp_path: Path) -> None:
    two = scored(tmp_path / "two", tmp_path / "bu.h5", tmp_path / "su.h5", (1, 2))
    with pytest.raises(EvaluationError, match="jec_up has other seeds or epochs of ae"):
        variation_rows([tables[0]], {"jec_up": [two]}, 0.25)
    with pytest.raises(EvaluationError, match="jec_up has other seeds"):
        variation_rows([tables[0]], {"jec_up": []}, 0.25)


def test_sample_without_a_weight_of_a_variation_counts_nominally(tmp_path: Path) -> None:
    background = write(tmp_path / "b.h5", [0, 1, 2, 3], [1, 1, 1, 1], [1, 1, 1, 3])
    signal = write(tmp_path / "s.h5", [1.5, 2.5, 3.5, 4], [1, 2, 1, 1])
    table = read_table(scored(tmp_path / "n", background, signal))
    assert table["weight_pileup_up"][table["sample"] == 1].tolist() == [1, 2, 1, 1]
    assert "weight_pileup_up" in [column.name for column in read_columns(tmp_path / "n/scores.h5")]


def test_program_writes_table_and_summary(tables: tuple[Path, Path], tmp_path: Path) -> None:
    from oddjet.evaluation.variations import VariationRow

    given = ["--settings", json.dumps({"background_efficiency": 0.25}), "--nominal", tables[0]]
    given += ["--shifted", f"jec_up={tables[1]}", "--table", tmp_path / "v.csv", "--summary", tmp_path / "v.md"]
    assert run_program(["compare_variations", *given]).returncode == 0
    assert len(read_rows(tmp_path / "v.csv", VariationRow)) == 3
    figures = ["--output", tmp_path / "v.pdf", tmp_path / "v.png"]
    assert run_program(["plot_variations", "--table", tmp_path / "v.csv", *figures]).returncode == 0
    assert (tmp_path / "v.png").stat().st_size > 10_000


def test_test_jets_under_a_variation_are_of_the_events_that_the_dataset_tests_on(tmp_path: Path) -> None:
    from oddjet.dataset.build import build_dataset, write_test_jets
    from oddjet.dataset.settings import DatasetSettings

    generator = np.random.default_rng(1)
    columns = [column for column in COLUMNS if column.name != "source"]

    def jets(path: Path, factor: float) -> Path:
        rows = np.zeros(400, dtype=[(column.name, column.dtype) for column in columns])
        rows["event"] = rows["entry"] = np.arange(400)
        rows["pt"], rows["weight"] = 600 * factor, 2
        rows["tau2"] = generator.normal(size=400)
        cutflow = json.dumps([["sum_of_weights", 800.0], ["sum_of_generated_weights", 1600.0]])
        write_table(path, columns, rows, {"sample": "top", "cutflow": cutflow})
        return path

    settings = DatasetSettings.model_validate(
        {"features": ["tau2"], "log_floors": {}, "minimum_jets": {"train": 2, "validation": 2, "test": 2}}
    )
    parts = {name: tmp_path / f"{name}.h5" for name in ("train", "validation", "test")}
    build_dataset([jets(tmp_path / "n.h5", 1)], parts, tmp_path / "scaler.json", settings, {}, {"top": 3.2})
    varied = tmp_path / "varied.h5"
    assert write_test_jets([jets(tmp_path / "u.h5", 1.1)], varied, settings, {}, {"top": 3.2}) == len(
        read_table(parts["test"])
    )
    nominal, shifted = read_table(parts["test"]), read_table(varied)
    assert sorted(nominal["event"]) == sorted(shifted["event"])
    assert set(shifted["event"]).isdisjoint(read_table(parts["train"])["event"])
    assert shifted["pt"] == pytest.approx(660)
    assert shifted["weight"] == pytest.approx(2 * 3.2 / 1600)
    none = settings.model_copy(
        update={"fractions": settings.fractions.model_copy(update={"train": 1.0, "validation": 0.0})}
    )
    with pytest.raises(DatasetError, match="hold no jet of the test part"):
        write_test_jets([tmp_path / "u.h5"], tmp_path / "none.h5", none, {})
