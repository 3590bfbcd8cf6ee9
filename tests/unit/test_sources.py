"""The files of a sample: every way to name them, stable part names, clear errors, no file twice."""

import os
import re
from pathlib import Path

import pytest

from oddjet.errors import SourceError
from oddjet.io.kept import Kept, find_kept
from oddjet.sources import find_files, part_files, part_name, refuse_shared


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("a.root", "sub/b.root", "sub/c.root", "notes.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def find_samples(samples: dict[str, list[str]], section: str):
    return find_kept({name: Kept(tuple(sources), (), {}) for name, sources in samples.items()}, section)


def files(*sources: str) -> list[str]:
    return list(part_files(sources).values())


def test_path_glob_folder_list_and_address(folder):
    (folder / "list.txt").write_text(f"# two files\n{folder}/a.root\n\nroot://host//store/x.root\n")
    assert files(f"{folder}/a.root") == [f"{folder}/a.root"]
    assert files(f"{folder}/sub/*.root") == [f"{folder}/sub/b.root", f"{folder}/sub/c.root"]
    assert len(files(str(folder))) == 3
    assert files(f"{folder}/list.txt") == [f"{folder}/a.root", "root://host//store/x.root"]
    assert files("**/*.root") == ["a.root", "sub/b.root", "sub/c.root"]
    assert files("s*") == ["sub/b.root", "sub/c.root"]
    assert files(f"file://{folder}/a.root") == [f"{folder}/a.root"]


def test_globs_relative_to_the_folder_of_the_run(folder):
    assert files("sub/*.root") == ["sub/b.root", "sub/c.root"]


def test_a_name_depends_on_its_path_alone(folder):
    alone = find_files([f"{folder}/sub/c.root"]).parts
    assert alone.items() <= find_files([str(folder)]).parts.items()


@pytest.mark.parametrize("path", ["x; rm -rf $(HOME).root", "a b'c\".root", "ä/ü.root", "...root", "-n.root"])
def test_names_are_harmless(path):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*-[0-9a-f]{8}", part_name(path))


def test_home_variables_and_braces_are_expanded_as_a_shell_does(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("DATA", str(folder / "sub"))
    assert files("~/a.root") == [f"{folder}/a.root"]
    assert files("$HOME/a.root", "${DATA}/b.root") == [f"{folder}/a.root", f"{folder}/sub/b.root"]
    assert files("sub/{b,c}.root") == ["sub/b.root", "sub/c.root"]
    assert files("{a,sub/{b,c}}.root") == ["a.root", "sub/b.root", "sub/c.root"]
    for number in ("9", "10", "010"):
        (folder / f"n{number}.root").touch()
    assert files("n{9..10}.root") == ["n9.root", "n10.root"]
    assert files("n{010..010}.root") == ["n010.root"]
    with pytest.raises(SourceError, match=r"n11\.root \(of n\{9\.\.11\}\.root\): no such file"):
        files("n{9..11}.root")
    # A file that is there is meant as it is written.
    (folder / "$HOME.root").touch()
    assert files("$HOME.root") == ["$HOME.root"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("absent.root", "no such file"),
        ("absent*.root", "matches no file"),
        ("empty", "holds no"),
        ("l.txt", "no such list"),
        ("~nosuchuser/x.root", "home"),
        ("$NOT_SET_HERE/x.root", "the variable NOT_SET_HERE is not set"),
        ("/store/mc/x.root", "put a redirector in front, as in root://cms-xrd-global.cern.ch//store/mc/x.root"),
        ("a.root:Events", "No tree is named here: remove ':Events'"),
        ("a.root 19000", "'19000' is not understood"),
        ("a.root,", "not understood"),
        ("notes.md", "does not end in .root"),
        ("gone.root", "a broken link"),
        ('["a.root",', "write a.root"),
        ("root:///x.root", "no address of a file"),
        ("root://host:port//x.root", "no address of a file"),
        ("root://host//data/*.root", "a glob is looked up on this machine alone"),
        ("github://owner:repo@main/x.root", "no such kind of address is read; give the file's root://"),
        ("zip://x.root::/data/x.zip", "no such kind of address is read"),
        ("davs://host/x.root", "no such kind of address is read"),
    ],
)
def test_a_source_that_names_nothing_is_an_error(folder, source, message):
    (folder / "empty").mkdir()
    (folder / "gone.root").symlink_to("nowhere.root")
    with pytest.raises(SourceError, match=re.escape(source) + ".*" + re.escape(message)):
        files(source)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"\xef\xbb\xbfa.root\n", ["a.root"]),
        (b"a.root   # 2017\r\n'sub/b.root'\n", ["a.root", "sub/b.root"]),
        (b'  "sub/*.root"  ', ["sub/b.root", "sub/c.root"]),
    ],
)
def test_lists_as_people_keep_them(folder, text, expected):
    for name in ("l.txt", "l.list"):
        (folder / name).write_bytes(text)
        assert files(name) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"l.txt\n", "the list l.txt names itself. Take it out. (line 1 of the list l.txt)"),
        ("a.root\n".encode("utf-16"), "the list l.txt is not text in UTF-8"),
        (b"# nothing\n\n", "the list l.txt names no file"),
        (b"a.root\na.root 19000\n", "'19000' is not understood. Remove it. (line 2 of the list l.txt)"),
        (b"/store/mc/a.root\n", "(line 1 of the list l.txt)"),
    ],
)
def test_what_a_list_says_wrong_is_named_with_its_line(folder, text, message):
    (folder / "l.txt").write_bytes(text)
    with pytest.raises(SourceError, match=re.escape(message)):
        files("l.txt")


@pytest.mark.parametrize(
    "pair",
    [
        ("a.root", "*.root"),
        ("a.root", "./a.root"),
        ("sub/b.root", "sub//b.root"),
        ("sub/b.root", "sub/../sub/b.root"),
        ("a.root", "{folder}/a.root"),
        ("a.root", "link.root"),
        ("a.root", "hard.root"),
        ("sub/b.root", "linked/b.root"),
        ("root://host//store/x.root", "root://host:1094//store/x.root"),
        ("root://host//store/x.root", "xroot://HOST///store//./x.root?token=1"),
        ("root://here//store/mc/x.root", "root://there//store/mc/x.root"),
        ("https://host/a%20b.root", "https://host:443/a b.root"),
    ],
)
def test_a_file_named_twice_is_an_error(folder, pair):
    (folder / "link.root").symlink_to("a.root")
    os.link(folder / "a.root", folder / "hard.root")
    (folder / "linked").symlink_to("sub")
    first, second = (source.format(folder=folder) for source in pair)
    with pytest.raises(SourceError, match="listed twice"):
        files(first, second)
    # In two samples, it would be trained on and tested on, or counted twice.
    two = find_samples({"top": [first], "sig": [second]}, "samples") if "*" not in second else {}
    if two:
        with pytest.raises(SourceError, match=r"samples\.sig\.files: .* is also a file of samples\.top"):
            refuse_shared({f"samples.{name}": list(found.parts.values()) for name, found in two.items()})


def test_different_files_are_not_taken_for_one(folder):
    (folder / "copy.root").write_bytes(b"")
    different = ["a.root", "copy.root", "root://host//store/user/x.root", "root://other//store/user/x.root"]
    assert files(*different) == different
    refuse_shared({"samples.a": different[:2], "samples.b": different[2:]})


def test_a_signal_that_the_glob_of_the_background_matches_too_is_refused(folder):
    found = find_samples({"top": ["*.root", "sub"], "sig": ["sub/c.root"]}, "samples")
    with pytest.raises(SourceError, match=r"samples\.sig\.files: sub/c\.root is also a file of samples\.top"):
        refuse_shared({f"samples.{name}": list(one.parts.values()) for name, one in found.items()})


def test_what_a_folder_or_glob_leaves_out_is_told(folder):
    for path in (".sys.v#.a.root/12ab.root", "failed/d.root", ".e.root"):
        (folder / "data" / path).parent.mkdir(exist_ok=True, parents=True)
        (folder / "data" / path).touch()
    (folder / "data/more").symlink_to("../sub")
    (folder / "data/round").symlink_to("..")
    (folder / "data/gone.root").symlink_to("nowhere.root")
    found = find_files(["data"])
    assert list(found.parts.values()) == ["data/more/b.root", "data/more/c.root", "data/round/a.root"]
    told = "\n".join(found.left_out)
    for line in (
        "data/.sys.v#.a.root: left out, hidden",
        "data/failed: left out, of failed jobs",
        "data/.e.root: left out, hidden",
        "data/gone.root: left out, a broken link",
        "data/round/sub: left out, the folder behind this link is read already",
        "data/round/data: left out, the folder behind this link is read already",
    ):
        assert line in told, told
    with pytest.raises(
        SourceError, match=r"data/\*\.root: the glob matches no file .*data/gone\.root: left out, a broken link"
    ):
        find_files(["data/*.root"])
    for name in ("x.ROOT", "y.root.1", "y.root.part", "y.root.log"):
        (folder / "data" / name).touch()
    os.mkfifo(folder / "data/pipe.root")
    told = find_files(["data"]).left_out
    assert "data/x.ROOT and 2 more: left out, not named *.root; rename it if it is data" in told
    assert "data/pipe.root: left out, no file of data (a pipe or a device)" in told
    (folder / "data/pipe.root").unlink()
    (folder / "data/z.root").touch()
    found = find_files(["data/*.root", "a.root"])
    assert found.left_out == [
        "data/.e.root: left out, hidden",
        "data/.sys.v#.a.root: left out, hidden",
        "data/gone.root: left out, a broken link",
    ]


def test_messages_name_the_sample(folder):
    with pytest.raises(SourceError, match=r"^samples\.top\.files: absent\.root: no such file"):
        find_samples({"top": ["absent.root"]}, "samples")


def test_files_of_another_kind(folder):
    (folder / "events.h5").touch()
    assert list(find_files(["."], (".h5", ".hdf5")).parts.values()) == ["events.h5"]
    with pytest.raises(SourceError, match=r"a\.root does not end in \.h5 or \.hdf5"):
        find_files(["a.root"], (".h5", ".hdf5"))


ODD = {
    b"lat\xfc.root": r"its name holds a line break, a tab or bytes that are not UTF-8",
    b"new\nline.root": r"'new\\nline\.root': its name holds a line break",
    b"tab\t.root": r"its name holds a line break, a tab",
}


@pytest.mark.parametrize("name", ODD)
def test_names_that_no_list_of_files_can_hold(folder, name):
    path = os.fsdecode(name)
    Path(path).touch()
    for source in (path, "."):
        with pytest.raises(SourceError, match=ODD[name]) as told:
            find_files([source])
        str(told.value).encode()  # can be written to any log


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("pipe.root", r"pipe\.root: is no file of data \(a pipe or a device\)"),
        ("a.root\u200b", r"signs in it that cannot be seen: 'a\.root\\u200b'"),
        ("a.root\t100", r"signs in it that cannot be seen: 'a\.root\\t100'"),
        ("- a.root", r"one file a line or entry, and nothing else: write a\.root"),
        ("a.root;", r"one file a line or entry, and nothing else: write a\.root"),
        ("“a.root”", r"one file a line or entry, and nothing else: write a\.root"),
        ("root:/host/x.root", r"an address has two slashes: root://host/x\.root"),
        ("/QCD_HT/Run3-v1/NANOAODSIM", r"a dataset of CMS; list its files \(dasgoclient"),
        ("https://host/list.txt", r"a list is looked up on this machine alone"),
        ("root://host//store/folder/", r"a folder is looked up on this machine alone"),
        ("https://host/x.root https://host/y.root", r"is two addresses; one file a line"),
        ("root://host//$NOT_SET_HERE/x.root", r"the variable NOT_SET_HERE is not set"),
        ("", r"an entry is empty"),
    ],
)
def test_what_is_no_file_and_what_was_meant(folder, source, message):
    os.mkfifo("pipe.root")
    with pytest.raises(SourceError, match=message):
        find_files([source])


def test_lists_too_deep_in_each_other(folder):
    (folder / "0.txt").write_text("a.root\n")
    for number in range(1, 1500):
        (folder / f"{number}.txt").write_text(f"{number - 1}.txt\n")
    assert files("15.txt") == ["a.root"]
    with pytest.raises(SourceError, match="stands in 20 lists"):
        find_files(["1499.txt"])


def test_addresses_of_this_machine_and_variables_of_others(folder, monkeypatch):
    monkeypatch.setenv("GROUP", "jets")
    assert files("file:a.root") == ["a.root"]
    for source in (f"file:{folder}/a.root", f"file://localhost{folder}/a.root", f"FILE://{folder}/a.root"):
        assert files(source) == [f"{folder}/a.root"]
    assert files("a.root/") == ["a.root"]
    assert files("root://host//$GROUP/{x,y}.root") == ["root://host//jets/x.root", "root://host//jets/y.root"]
    with pytest.raises(SourceError, match="are one file"):
        find_files(["root://eoscms.cern.ch//eos/cms/store/mc/x.root", "root://xrootd-cms.infn.it//store/mc/x.root"])


def test_a_copy_of_a_file_is_that_file(folder):
    sound = bytes(1000) + b"x" * (2 << 20)
    for name, content in {"a": sound, "b": sound, "c": sound[:-1] + b"y", "d": b"", "e": b""}.items():
        (folder / f"{name}.root").write_bytes(content)
    with pytest.raises(SourceError, match=r"samples\.sig\.files: b\.root is a copy of a\.root, a file of samples\.top"):
        refuse_shared({"samples.top": ["a.root"], "samples.sig": ["c.root", "b.root"]})
    with pytest.raises(
        SourceError, match=r"samples\.top\.files: b\.root is a copy of a\.root\. Its events would count"
    ):
        refuse_shared({"samples.top": ["a.root", "b.root"]})
    # Of another end, empty, elsewhere, gone.
    refuse_shared({"samples.top": ["a.root", "d.root", "gone.root"], "samples.sig": ["c.root", "e.root"]})
