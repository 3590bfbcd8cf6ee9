"""Ensembles compared: the same standardisation as in the score table of one, by events and by weight."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from oddjet.detectors.mean import mean_of
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.ensembles import Member, ensemble_auc, members_of, paired_difference
from oddjet.evaluation.scores import auc_rows, score_samples
from oddjet.evaluation.settings import EvaluationSettings, MeritSettings
from oddjet.evaluation.signals import Signal
from oddjet.io.tables import Column, read_table, write_table
from programs import run_program

COLUMNS = [
    Column("sample", "i2", "1", "position in `samples`"),
    *(Column(name, "u8", "1", "identifier") for name in ("run", "luminosityBlock", "event", "source", "entry")),
    Column("jet_rank", "i2", "1", "rank"),
    *(Column(name, "f4", "1", "value") for name in ("pt", "mass", "weight", "a", "b", "c")),
]
SETTINGS = MeritSettings(replicas=100)


def jets(count: int, shift: float, seed: int, jets_an_event: int = 1) -> np.ndarray:
    """Three quantities of very different scales: both jets of an event are alike."""
    generator = np.random.default_rng(seed)
    table = np.zeros(count, dtype=[(column.name, column.dtype) for column in COLUMNS])
    table["entry"], table["weight"] = np.arange(count) // jets_an_event, 1.0
    for name, scale in (("a", 1.0), ("b", 1e3), ("c", 1e-3)):
        values = generator.normal(shift, 1.0, -(-count // jets_an_event))
        table[name] = scale * np.repeat(values, jets_an_event)[:count]
    return table


class Reader:
    """A model whose seeds are columns of the table."""

    name = "reader"

    def __init__(self, names: str) -> None:
        self.names = names
        self.seeds, self.epochs = tuple(range(len(names))), (1,) * len(names)

    def score(self, scaled: np.ndarray) -> np.ndarray:
        return np.column_stack([scaled[name].astype(float) for name in self.names])


def write(path: Path, names: str, parts: list[np.ndarray]) -> Path:
    rows = np.concatenate(parts)
    rows["sample"] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    columns = [column for column in COLUMNS if column.name not in "abc"]
    columns.append(Column("score", f"({len(names)},)f8", "1", "score"))
    table = np.zeros(len(rows), dtype=[(column.name, column.dtype) for column in columns])
    for column in columns[:-1]:
        table[column.name] = rows[column.name]
    table["score"] = Reader(names).score(rows)
    attributes = {
        "method": "reader",
        "seeds": json.dumps(list(range(len(names)))),
        "epochs": json.dumps([1] * len(names)),
    }
    points = {f"svj_{n}": {} for n in range(1, len(parts))}
    attributes |= {"samples": json.dumps(["background", *points]), "points": json.dumps(points)}
    write_table(path, columns, table, attributes)
    return path


def member(path: Path, names: str) -> Member:
    return members_of([Reader(names)], [path])[0]


def parts(jets_an_event: int = 1) -> list[np.ndarray]:
    return [jets(400, 0.0, 1, jets_an_event), jets(200, 0.8, 2, jets_an_event), jets(200, 1.2, 3, jets_an_event)]


def test_the_comparison_standardises_as_the_score_table_of_an_ensemble(tmp_path: Path) -> None:
    """On the validation background and by weight, not on the background that is tested on."""
    validation, test = jets(300, 0.0, 9), parts()
    # What test and validation background would give differs by far: another scale of one column.
    validation["b"] *= 5.0
    validation["weight"] = np.random.default_rng(1).choice([-0.5, 1.0, 2.0], 300)
    test[0]["weight"][::3] = 3.0
    write_table(tmp_path / "validation.h5", COLUMNS, validation, {})
    members = [member(write(tmp_path / "ab.h5", "ab", test), "ab"), member(write(tmp_path / "c.h5", "c", test), "c")]
    for path, part in zip(files := [tmp_path / f"{number}.h5" for number in range(3)], test, strict=True):
        write_table(path, COLUMNS, part, {})
    signals = [Signal(f"svj_{n}", {}, (files[n],)) for n in (1, 2)]
    opened = mean_of("e", [Reader("ab"), Reader("c")], validation)
    score_samples(opened, files[0], signals, [tmp_path / "e.h5"], EvaluationSettings(minimum_signal_jets=100), {})
    expected = {row.signal: row.auc for row in auc_rows(tmp_path / "e.h5")}
    assert ensemble_auc(members, validation) == pytest.approx(expected, rel=1e-12)
    by_hand = np.zeros(len(read_table(tmp_path / "ab.h5")))
    everything = np.concatenate(test)
    for name in "abc":
        mean = np.average(validation[name], weights=validation["weight"])
        deviation = math.sqrt(np.average((validation[name] - mean) ** 2, weights=validation["weight"]))
        by_hand += (everything[name] - mean) / deviation
    scores = [SampleScores("x", by_hand[:400], everything["weight"][:400]), SampleScores("x", by_hand[400:600])]
    assert expected["svj_1"] == pytest.approx(compute_auc(*scores).value, abs=1e-6)
    # The table of an ensemble stands for its members, and is the same to the last digit that is written.
    alone = members_of([], [tmp_path / "e.h5"])
    found = paired_difference(members, alone, validation, SETTINGS)
    assert found.first == pytest.approx(found.second, abs=1e-12)
    assert found.error < 1e-12


def test_several_seeds_need_what_standardises_them(tmp_path: Path) -> None:
    test = parts()
    one = write(tmp_path / "ab.h5", "ab", test)
    with pytest.raises(EvaluationError, match=r"ab\.h5: 2 seeds are averaged, .* give their models and the validation"):
        ensemble_auc(members_of([], [one]), None)
    with pytest.raises(EvaluationError, match="--against-models: 1 models and 2 score tables"):
        members_of([Reader("a")], [one, one], "--against-models")
    assert ensemble_auc(members_of([], [write(tmp_path / "a.h5", "a", test)]), None)["svj_2"] > 0.7


def test_a_paired_comparison_is_finer_than_two_errors_and_counts_events(tmp_path: Path) -> None:
    """Two jets of an event that are alike are worth one: the error is that of half as many jets."""
    errors = {}
    for number in (1, 2):
        test, validation = parts(number), jets(300, 0.0, 9)
        members = [member(write(tmp_path / f"{n}.h5", n, test), n) for n in ("ab", "abc")]
        found = paired_difference(members[:1], members[1:], validation, SETTINGS)
        assert found == paired_difference(members[:1], members[1:], validation, SETTINGS)
        assert (found.first, found.second) == pytest.approx(
            tuple(np.mean(list(ensemble_auc([one], validation).values())) for one in members)
        )
        errors[number] = found.error
        assert paired_difference(members[:1], members[:1], validation, SETTINGS).error == 0.0
    assert 0 < errors[1] < 0.02
    assert errors[2] / errors[1] == pytest.approx(math.sqrt(2), rel=0.25)


@pytest.mark.parametrize("column", ["entry", "source", "jet_rank", "weight"])
def test_jets_are_recognised_by_all_that_identifies_them(tmp_path: Path, column: str) -> None:
    test = parts()
    one = write(tmp_path / "a.h5", "a", test)
    test[0][column][7] += 1
    other = write(tmp_path / "b.h5", "b", test)
    with pytest.raises(EvaluationError, match="not scored on the same jets"):
        paired_difference(members_of([], [one]), members_of([], [other]), None, SETTINGS)


def test_the_program_compares_two_tables(tmp_path: Path) -> None:
    test = parts()
    command = ["workflow/scripts/compare_ensembles.py", "--settings", '{"replicas": 20}']
    command += ["--scores", str(write(tmp_path / "a.h5", "a", test))]
    done = run_program([*command, "--against", str(write(tmp_path / "b.h5", "b", test))])
    assert done.returncode == 0, done.stderr
    assert " against 0." in done.stdout
    done = run_program([*command, "--against", str(write(tmp_path / "ab.h5", "ab", test))])
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'ab.h5'}: 2 seeds are averaged")
