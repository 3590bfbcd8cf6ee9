"""Files are divided over jobs, and a job of several files makes those that are not there as they would be today."""

import json
import logging
from pathlib import Path

import pytest

from oddjet.batches import Batch, batches_of, commands_of, execute_batch, is_made
from oddjet.config import load_config
from oddjet.errors import OddjetError
from oddjet.plan import Plan
from oddjet.program import given_options, parser
from oddjet.sources import Found


def parts(number: int) -> list[str]:
    return [f"{part:04d}" for part in range(number)]


def test_a_sample_has_batches_of_its_own_as_equal_as_can_be():
    batches = batches_of({"small": parts(1), "top": parts(9), "other": parts(2), "qcd": parts(4)}, 4)
    assert [(batch.files[0][0], len(batch.files)) for batch in batches] == [
        ("small", 1),
        *[("top", 3)] * 3,
        ("other", 2),
        ("qcd", 4),
    ]
    assert [file for batch in batches for sample, file in batch.files if sample == "top"] == parts(9)


def test_small_samples_that_are_related_share_a_batch():
    files = {name: parts(1 + (name == "c")) for name in "abcdef"}
    related = dict.fromkeys("abcde", 1000.0) | {"f": 2000.0}
    names = ["".join(sample for sample, _ in batch.files) for batch in batches_of(files, 3, related)]
    assert names == ["ab", "ccd", "e", "f"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_every_file_is_in_one_batch(size):
    files = {"a": parts(7), "b": parts(1), "c": parts(2), "d": parts(0), "e": parts(1)}
    batches = batches_of(files, size, dict.fromkeys("abce", 1.0))
    assert sorted(file for batch in batches for file in batch.files) == sorted(
        (sample, part) for sample, own in files.items() for part in own
    )
    assert max(len(batch.files) for batch in batches) <= size


def test_a_batch_is_named_by_its_first_file():
    batch = Batch((("top", "0004"), ("top", "0005")))
    assert (batch.place, batch.name, str(batch)) == ("top/0004", "top_0004", "top, file 0004 and 1 more")
    assert batch.paths("results/tables", "h5") == ["results/tables/top/0004.h5", "results/tables/top/0005.h5"]


def test_the_words_of_each_file():
    assert commands_of(["--seed", "1", "--output", "x"]) == [["--seed", "1", "--output", "x"]]
    assert commands_of(["--seed", "1", "+", "--part", "0", "+", "--part", "1"]) == [
        ["--seed", "1", "--part", "0"],
        ["--seed", "1", "--part", "1"],
    ]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Give a function that runs a program of a few files; returns the names of those that it made, and its status."""
    made: list[str] = []

    def main(broken: str = "") -> None:
        arguments = parser("Write a file.", "x")
        arguments.add_argument("--text")
        arguments.add_argument("--output", type=Path)
        given = arguments.parse_args()
        record = {"script": "x", "code_digest": "1", "inputs": "{}", "options": json.dumps(given_options())}
        if is_made(given.output, record, lambda path: json.loads(path.read_text())):
            return
        if given.text == broken:
            raise OddjetError(f"{given.output}: broken")
        made.append(given.output.name)
        given.output.write_text(json.dumps(record))

    def start(*words: str, broken: str = "") -> tuple[list[str], int]:
        monkeypatch.setattr("sys.argv", ["x.py", *words])
        made.clear()
        try:
            execute_batch(lambda: main(broken))
        except SystemExit as end:
            return list(made), end.code
        return list(made), 0

    return start


def words(folder: Path, *texts: str) -> list[str]:
    return [
        word
        for number, text in enumerate(texts)
        for word in ("+", "--text", text, "--output", str(folder / f"{number}.json"))
    ]


def test_files_that_would_be_the_same_are_kept(run, tmp_path):
    assert run(*words(tmp_path, "a", "b", "c")) == (["0.json", "1.json", "2.json"], 0)
    assert run(*words(tmp_path, "a", "b", "c")) == ([], 0)
    assert run(*words(tmp_path, "a", "x", "c")) == (["1.json"], 0)
    (tmp_path / "2.json").unlink()
    (tmp_path / "0.json").write_text("damaged")
    assert run(*words(tmp_path, "a", "x", "c")) == (["0.json", "2.json"], 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.json", "1.json", "2.json"]


def test_a_batch_of_one_is_a_batch_and_a_program_by_itself_makes_its_file_again(run, tmp_path):
    assert run(*words(tmp_path, "a")) == (["0.json"], 0)
    assert run(*words(tmp_path, "a")) == ([], 0)
    assert run("--text", "a", "--output", str(tmp_path / "0.json")) == (["0.json"], 0)


def test_what_a_failed_batch_made_is_found_again_though_the_workflow_removes_it(run, tmp_path, capsys):
    assert run(*words(tmp_path, "a", "b", "c"), broken="b") == (["0.json", "2.json"], 1)
    assert capsys.readouterr().err == f"error: {tmp_path}/1.json: broken\n"
    for path in tmp_path.glob("?.json"):
        path.unlink()
    assert run(*words(tmp_path, "a", "b", "x")) == (["1.json", "2.json"], 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.json", "1.json", "2.json"]
    assert json.loads((tmp_path / "2.json").read_text())["options"].count('"x"') == 1


def test_every_file_that_fails_is_told(run, tmp_path, capsys):
    assert run(*words(tmp_path, "b", "b"), broken="b") == ([], 1)
    assert capsys.readouterr().err.splitlines() == [f"error: {tmp_path}/{number}.json: broken" for number in (0, 1)]


def test_the_log_says_what_is_kept(run, tmp_path, caplog):
    run(*words(tmp_path, "a"))
    with caplog.at_level(logging.INFO, "oddjet"):
        run(*words(tmp_path, "a"))
    assert [record.getMessage().split(":")[-1] for record in caplog.records] == [
        " kept, for it was made by this code with these options from these inputs"
    ]


def test_a_file_that_is_gone_stays_in_its_batch_while_all_tables_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load_config(
        {
            "samples": {"own": {"kind": "background", "files": ["x"]}},
            "signals": {"m_phi": [2000], "r_inv": [0.1]},
            "methods": {"ae": {"kind": "ae"}},
        }
    )
    found = {"own": Found({part: f"/data/{part}.root" for part in "abcdef"}, gone=frozenset({"/data/b.root"}))}

    def batches() -> list[str]:
        return ["".join(part for _, part in batch.files) for batch in Plan(config, found).batches]

    assert batches() == ["ac", "b", "def", "0000"]
    (tmp_path / "results/tables/own").mkdir(parents=True)
    for part in "abc":
        (tmp_path / f"results/tables/own/{part}.h5").touch()
    assert batches() == ["abc", "def", "0000"]
