"""The score tables of whole events: what is written comes back by sample, and what cannot be used is refused."""

import numpy as np
import pytest

from oddjet.detectors.opening import Method, Opened
from oddjet.errors import EvaluationError, EventError, TableError
from oddjet.evaluation.score_table import read_method
from oddjet.evaluation.scores import score_samples
from oddjet.evaluation.signals import Signal
from oddjet.events.layout import write_events
from oddjet.events.rows import EventRows, FlatEvents
from oddjet.io.tables import Column, read_attributes, read_table, write_table
from oddjet.studies.event_merits import EventScores, scores_by_method

# What a score table says of itself.
ATTRIBUTES = ("method", "seeds", "epochs", "samples", "points", "data", "backgrounds")


def write(folder, count=4):
    """Events of a background and a signal: the pT of the MET tells them apart."""
    for number, name in enumerate(("background", "a_4l")):
        events = np.zeros((count, 19, 4))
        events[:, 0] = 30.0, 0.0, 1.0, 1.0
        events[:, 0, 0] += np.arange(count) + 10 * number
        write_events(folder / f"{name}.h5", events, {})
    return folder / "background.h5", [Signal("a_4l", {}, (folder / "a_4l.h5",))]


def scored(folder, score, rows, *methods):
    outputs = [folder / f"{method.name}_{method.seeds[0]}.h5" for method in methods]
    score_samples(Opened(methods, score, rows), *write(folder), outputs, None, {"script": "test"})
    return outputs


def test_scores_come_back_by_sample_and_groups_together(tmp_path):
    first, second = Method("wnae", (4, 7), (10, 20)), Method("wnae", (9,), (5,))
    (one,) = scored(tmp_path, lambda flat: [np.stack([flat["met_pt"], -flat["met_pt"]], 1)], FlatEvents(), first)
    (two,) = scored(tmp_path, lambda flat: [2.0 * flat["met_pt"][:, None]], FlatEvents(), second)
    assert read_method(one) == first
    (table,) = scores_by_method([one, two])
    assert (table.method, table.seeds, table.samples) == ("wnae", (4, 7, 9), ("background", "a_4l"))
    for name, met in (("background", 30.0 + np.arange(4)), ("a_4l", 40.0 + np.arange(4))):
        np.testing.assert_array_equal(table.of(name), np.stack([met, -met, 2 * met], axis=1))
    assert read_table(one)["row"].tolist() == [*range(4), *range(4)]


def test_methods_that_share_their_work_have_a_table_each(tmp_path):
    methods = [Method(name, (0,), (1,)) for name in ("met", "count")]
    calls = []

    def score(events):
        calls.append(len(events))
        return [events[:, 0, :1], np.full((len(events), 1), 7.0)]

    outputs = scored(tmp_path, score, EventRows(3), *methods)
    assert calls == [3, 3]
    tables = scores_by_method(outputs)
    assert [table.method for table in tables] == ["met", "count"]
    assert tables[0].of("background").tolist() == [[30.0], [31.0], [32.0]]
    assert tables[1].of("a_4l").tolist() == [[7.0]] * 3
    with pytest.raises(EvaluationError, match=r"--output: 1 files for 2 methods \(met, count\); give one each"):
        score_samples(Opened(tuple(methods), score, EventRows(3)), *write(tmp_path), outputs[:1], None, {})


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.ones((4, 3)), r"ot3d, sample background: scores of shape \(4, 3\) for 1 seeds"),
        (np.ones(4), r"scores of shape \(4,\) for 1 seeds"),
        (np.array([[1], [np.nan], [np.nan], [1]]), r"ot3d, seed 0: 2 of 4 scores of sample background are not finite"),
    ],
)
def test_scores_that_cannot_be_used(tmp_path, scores, message):
    with pytest.raises(EvaluationError, match=message):
        scored(tmp_path, lambda _: [scores], FlatEvents(), Method("ot3d", (0,), (1,)))
    assert not list(tmp_path.glob("ot3d*")) + list(tmp_path.glob(".tmp*"))


def test_an_unknown_sample_and_other_tables(tmp_path):
    (path,) = scored(tmp_path, lambda flat: [flat["met_pt"][:, None]], FlatEvents(), Method("ot3d", (0,), (1,)))
    with pytest.raises(EventError, match=r"no sample 'hpm'; there are background, a_4l"):
        EventScores(path).of("hpm")
    columns = [Column("sample", "i2", "1", ""), Column("row", "i8", "1", ""), Column("score", "(1,)f8", "1", "")]
    rows = np.zeros(3, [(column.name, column.dtype) for column in columns])
    about = {name: value for name, value in read_attributes(path).items() if name in ATTRIBUTES} | {"seeds": "[1]"}
    write_table(tmp_path / "fewer.h5", columns, rows, about)
    with pytest.raises(TableError, match=r"fewer\.h5: other events than in"):
        EventScores(path, tmp_path / "fewer.h5")
    write_table(tmp_path / "other.h5", columns, rows, {**about, "method": "met"})
    with pytest.raises(TableError, match=r"other\.h5: another method, or other samples, than in"):
        EventScores(path, tmp_path / "other.h5")
    write_table(tmp_path / "t.h5", [Column("pt", "f4", "GeV", "")], np.zeros(1, [("pt", "f4")]), {})
    with pytest.raises(TableError, match=r"no attribute 'method'"):
        EventScores(tmp_path / "t.h5")
