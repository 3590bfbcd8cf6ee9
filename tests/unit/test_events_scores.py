"""The score table of whole events: what is written comes back by sample, and what cannot be used is refused."""

import numpy as np
import pytest

from oddjet.errors import EventError, TableError
from oddjet.events.scores import ScoreTable, write_scores
from oddjet.io.tables import Column, read_table, write_table


def test_scores_come_back_by_sample(tmp_path):
    path = tmp_path / "scores.h5"
    scores = {"background": np.arange(6.0).reshape(3, 2), "a_4l": np.array([[9.0, 8.0]])}
    write_scores(path, "wnae", scores, {"script": "test"}, seeds=[4, 7])
    table = ScoreTable(path)
    assert (table.method, table.seeds, table.samples) == ("wnae", (4, 7), ("background", "a_4l"))
    for name, values in scores.items():
        assert np.array_equal(table.of(name), values)
    assert read_table(path)["row"].tolist() == [0, 1, 2, 0]


def test_one_score_without_seeds(tmp_path):
    write_scores(tmp_path / "s.h5", "total_pt", {"background": np.array([3.0, 1.0])}, {})
    table = ScoreTable(tmp_path / "s.h5")
    assert table.seeds == (0,)
    assert table.of("background").tolist() == [[3.0], [1.0]]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"a_4l": np.ones(2)}, r"ot3d: the scores of the sample 'background' must come first, got \['a_4l'\]"),
        ({}, r"must come first"),
        ({"background": np.ones((2, 3))}, r"ot3d, sample background: scores of shape \(2, 3\) for 1 seeds"),
        ({"background": np.array([1, np.nan, np.nan])}, r"2 of 3 scores are not finite, the first in row 1"),
    ],
)
def test_scores_that_cannot_be_used(tmp_path, scores, message):
    with pytest.raises(EventError, match=message):
        write_scores(tmp_path / "s.h5", "ot3d", scores, {})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_sample_and_another_table(tmp_path):
    write_scores(tmp_path / "s.h5", "ot3d", {"background": np.ones(2)}, {})
    with pytest.raises(EventError, match=r"no sample 'hpm'; there are background"):
        ScoreTable(tmp_path / "s.h5").of("hpm")
    write_table(tmp_path / "t.h5", [Column("pt", "f4", "GeV", "")], np.zeros(1, [("pt", "f4")]), {})
    with pytest.raises(TableError, match=r"no attribute 'method'"):
        ScoreTable(tmp_path / "t.h5")
