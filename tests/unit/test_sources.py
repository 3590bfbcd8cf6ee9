"""The files of a sample: every way to name them, stable part names, clear errors."""

import re

import pytest

from oddjet.sources import SourceError, is_remote, part_files, part_name


@pytest.fixture
def folder(tmp_path):
    for name in ("a.root", "sub/b.root", "sub/c.root", "notes.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_path_glob_folder_list_and_address(folder):
    (folder / "list.txt").write_text(f"# two files\n{folder}/a.root\n\nroot://host//store/x.root\n")
    assert list(part_files([f"{folder}/a.root"]).values()) == [f"{folder}/a.root"]
    assert list(part_files([f"{folder}/sub/*.root"]).values()) == [f"{folder}/sub/b.root", f"{folder}/sub/c.root"]
    assert len(part_files([str(folder)])) == 3
    assert list(part_files([f"{folder}/list.txt"]).values()) == [f"{folder}/a.root", "root://host//store/x.root"]


def test_globs_relative_to_the_folder_of_the_workflow(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert list(part_files(["sub/*.root"]).values()) == ["sub/b.root", "sub/c.root"]


def test_a_name_depends_on_its_path_alone(folder):
    alone = part_files([f"{folder}/sub/c.root"])
    assert alone.items() <= part_files([str(folder)]).items()


@pytest.mark.parametrize("path", ["x; rm -rf $(HOME).root", "a b'c\".root", "ä/ü.root", "...root", "-n.root"])
def test_names_are_harmless(path):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*-[0-9a-f]{8}", part_name(path))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("absent.root", "no such file"),
        ("absent*.root", "matches no file"),
        ("empty", "holds no"),
        ("l.txt", "no such list"),
    ],
)
def test_a_source_that_names_nothing_is_an_error(tmp_path, monkeypatch, source, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=f"{re.escape(source)}.*{message}"):
        part_files([source])


def test_a_file_named_twice_is_an_error(folder):
    with pytest.raises(SourceError, match="listed twice"):
        part_files([f"{folder}/a.root", f"{folder}/*.root"])


def test_addresses():
    assert is_remote("root://host//x.root")
    assert is_remote("https://host/x.root")
    assert not is_remote("/data/x.root")
