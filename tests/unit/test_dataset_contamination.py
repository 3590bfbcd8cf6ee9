"""The contamination scan: so much signal as was asked for, none of it tested on; tables and figure made from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from markdown_cells import cells_of
from oddjet.dataset.contamination import contaminate
from oddjet.dataset.settings import ContaminationSettings
from oddjet.errors import DatasetError, EvaluationError, FigureError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.contamination import ContaminationRow, scan_averages, scan_rows, write_scan
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.tables import Column, read_attributes, read_table, write_table
from oddjet.plotting.contamination import draw_contamination
from oddjet.weighted import draw
from programs import run_program

COLUMNS = [Column(name, "u8", "1", "identifier") for name in ("run", "luminosityBlock", "event")]
COLUMNS += [Column(name, "f4", "1", "value") for name in ("weight", "tau2")]
SHARES = (0.0, 0.01, 0.1)


def jets(count: int, run: int) -> np.ndarray:
    """Two jets an event; `tau2` tells every jet apart."""
    table = np.zeros(count, dtype=[(column.name, column.dtype) for column in COLUMNS])
    table["run"], table["event"], table["tau2"] = run, np.arange(count) // 2, run + np.arange(count) / count
    table["weight"] = 1.0
    return table


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    write_table(tmp_path / "train.h5", COLUMNS, jets(1000, 1), {})
    for run in (2, 3):
        write_table(tmp_path / f"svj{run}.h5", COLUMNS, jets(200, run), {})
    return tmp_path


def mix(folder: Path, **settings: object) -> dict[float, int]:
    return contaminate(
        folder / "train.h5",
        {f"svj{run}": [folder / f"svj{run}.h5"] for run in (2, 3)},
        {share: folder / f"train_{share}.h5" for share in SHARES},
        {f"svj{run}": folder / f"held_svj{run}.h5" for run in (2, 3)},
        ContaminationSettings.model_validate({"fractions": SHARES, **settings}),
        {"script": "contaminate_dataset"},
    )


def test_so_many_training_jets_are_signal_and_none_is_tested_on(scan: Path) -> None:
    assert mix(scan) == {0.0: 0, 0.01: 10, 0.1: 100}
    held_out = np.concatenate([read_table(scan / f"held_svj{run}.h5") for run in (2, 3)])
    tested = set(map(tuple, held_out[["run", "event"]].tolist()))
    before: set[float] = set()
    for share, count in ((0.0, 0), (0.01, 10), (0.1, 100)):
        table = read_table(scan / f"train_{share}.h5")
        signal = table[table["run"] != 1]
        assert (len(table), len(signal)) == (1000, count)
        assert len(np.unique(table["tau2"])) == 1000
        assert not tested & set(map(tuple, signal[["run", "event"]].tolist()))
        # The jets of a smaller share are among those of a larger one.
        assert before <= set(signal["tau2"].tolist())
        before = set(signal["tau2"].tolist())
        assert read_attributes(scan / f"train_{share}.h5")["signal_jets"] == str(count)
    assert {2, 3} == set(read_table(scan / "train_0.1.h5")["run"].tolist()) - {1}
    # About half of each signal is left, whole events of it.
    assert 120 < len(held_out) < 280
    assert len(held_out) == 2 * len(tested)


def test_the_share_is_one_of_weights_too(scan: Path) -> None:
    """Background in pb, of two samples; signals in units of their own, one with a quarter of negative weights."""
    columns = [*COLUMNS, Column("source", "u4", "1", "feature table")]
    background = np.zeros(1000, dtype=[(column.name, column.dtype) for column in columns])
    for column in COLUMNS:
        background[column.name] = jets(1000, 1)[column.name]
    background["weight"] = np.where(np.arange(1000) % 2, 2e-3, 4e-5)
    write_table(scan / "train.h5", columns, background, {})
    for run, unit in ((2, 1e4), (3, 1e-6)):
        table = jets(200, run)
        table["weight"] = unit * np.where((run == 3) & (table["event"] % 4 == 0), -1, 1)
        write_table(scan / f"svj{run}.h5", COLUMNS, table, {})
    mix(scan)
    for share in SHARES:
        table = read_table(scan / f"train_{share}.h5")
        signal = table[table["run"] != 1]
        weight = [part["weight"].sum(dtype=np.float64) for part in (signal, table)]
        assert weight[0] / weight[1] == pytest.approx(share, rel=1e-5)
        drawn = table[draw(table["weight"], 1000, 1)]
        # Of the negative jets of one signal as many are drawn as of the positive ones, and carry the sign.
        assert len(drawn[drawn["run"] != 1]) >= 0.9 * share * len(drawn)
    means = [abs(signal["weight"][signal["run"] == run]).mean() for run in (2, 3)]
    assert means[1] == pytest.approx(2 * means[0], rel=0.05)
    assert set(table["source"].tolist()) == {0}


def test_weights_that_add_up_to_nothing_are_named(scan: Path) -> None:
    table = jets(200, 2)
    table["weight"] = -1
    write_table(scan / "svj2.h5", COLUMNS, table, {})
    with pytest.raises(DatasetError, match=r"signal svj2: the weights of \d+ jets add up to -\d+, not"):
        mix(scan)


def test_the_scan_is_repeatable_and_one_signal_can_be_chosen(scan: Path) -> None:
    mix(scan)
    first = (scan / "train_0.1.h5", scan / "held_svj2.h5")
    before = [read_table(path) for path in first]
    mix(scan)
    for path, table in zip(first, before, strict=True):
        np.testing.assert_array_equal(read_table(path), table)
    mix(scan, signals=["svj2"], signal_share=0.7)
    assert set(read_table(scan / "train_0.1.h5")["run"].tolist()) == {1, 2}
    assert len(read_table(scan / "held_svj3.h5")) < 100


def test_what_cannot_be_mixed_says_why(scan: Path) -> None:
    with pytest.raises(DatasetError, match=r"0\.1 of 1000 training jets are 100 signal jets, but \d\d may train"):
        mix(scan, signals=["svj2"], signal_share=0.2)
    with pytest.raises(DatasetError, match="there is no signal svj9"):
        mix(scan, signals=["svj9"])
    with pytest.raises(DatasetError, match=r"signal svj2: \d+ of 200 jets are left to test on.* is 190"):
        mix(scan, minimum_signal_jets=190)
    with pytest.raises(ValueError, match="fractions must ascend"):
        ContaminationSettings(fractions=(0.1, 0.0))


def auc_table(path: Path, auc: float) -> Path:
    point = ("svj", {"m_phi": 1000.0, "r_inv": 0.1})
    write_rows(path, [AucRow("pca", seed, *point, auc + 0.01 * seed, 0.01, 300, 300) for seed in (1, 2)], AucRow)
    return path


def test_the_tables_say_which_share_they_are_of(tmp_path: Path) -> None:
    arguments = [f"{share}={auc_table(tmp_path / f'{share}.csv', 0.9 - share)}" for share in (0.0, 0.1)]
    command = ["workflow/scripts/summarize_contamination.py", "--auc", *arguments]
    command += ["--table", str(tmp_path / "scan.csv"), "--summary", str(tmp_path / "scan.md")]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "scan.csv", ContaminationRow)
    assert [(row.signal_fraction, row.seed) for row in rows] == [(0.0, 1), (0.0, 2), (0.1, 1), (0.1, 2)]
    averages = scan_averages(rows)["pca"]
    assert averages[0.0].mean > averages[0.1].mean + 0.05
    line = next(row for row in cells_of(write_scan(rows)) if row[0] == "PCA residual")
    assert line[1] == str(averages[0.0])
    assert "0.1 signal" in write_scan(rows)
    with pytest.raises(EvaluationError, match=r"'much=x\.h5' is not SHARE=FILE"):
        scan_rows(["much=x.h5"])


def test_the_figure_has_a_line_a_method(tmp_path: Path) -> None:
    figure = draw_contamination({name: {0.0: (0.9, 0.01), 0.1: (0.7, 0.02)} for name in ("PCA", "AE")}, "Simulation")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0 %", "10 %"]
    assert draw_contamination({"PCA": {0.0: (0.9, 0.01)}}, "", "top").axes[0].get_ylabel() == "AUC against top"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["PCA", "AE"]
    with pytest.raises(FigureError, match="no method"):
        draw_contamination({}, "Simulation")
    row = ContaminationRow(0.1, "pca", 1, "svj", {"m_phi": 1000.0, "r_inv": 0.1}, 0.7, 0.01, 300, 2000)
    write_rows(tmp_path / "scan.csv", [row], ContaminationRow)
    command = ["workflow/scripts/plot_contamination.py", "--table", str(tmp_path / "scan.csv")]
    command += ["--output", str(tmp_path / "scan.pdf"), str(tmp_path / "scan.png")]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "scan.pdf").read_bytes().startswith(b"%PDF")
