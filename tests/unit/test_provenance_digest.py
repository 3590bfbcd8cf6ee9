"""The code digest follows imports, and nothing but what runs."""

from pathlib import Path

import pytest

from oddjet.provenance import digest


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project: script -> a -> b; c and d beside them."""
    package = tmp_path / "src" / "oddjet"
    (package / "room").mkdir(parents=True)
    scripts = tmp_path / "workflow" / "scripts"
    scripts.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Package."""\n')
    (package / "room" / "__init__.py").write_text('"""Room."""\n')
    (package / "a.py").write_text("from oddjet.room import b\n\ndef f():\n    return b.g()\n")
    (package / "room" / "b.py").write_text('"""Module."""\n\ndef g():\n    """One."""\n    return 1  # one\n')
    (package / "c.py").write_text("x = 1\n")
    (package / "d.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from oddjet import c\n")
    (scripts / "make.py").write_text("import numpy\nfrom oddjet.a import f\nfrom oddjet import d\n")
    monkeypatch.setattr(digest, "PACKAGE_FOLDER", package)
    monkeypatch.setattr(digest, "SCRIPTS_FOLDER", scripts)
    _forget()
    yield tmp_path
    _forget()


def _forget():
    digest._read.cache_clear()


def _after(project: Path, name: str, text: str, *modules: str) -> str:
    (project / name).write_text(text)
    _forget()
    return digest.code_digest("make", *modules)


def test_edit_two_imports_away_counts(project):
    before = digest.code_digest("make")
    assert (
        _after(project, "src/oddjet/room/b.py", '"""Module."""\n\ndef g():\n    """One."""\n    return 2  # one\n')
        != before
    )


@pytest.mark.parametrize(
    "text",
    [
        '"""Module, told anew."""\n\ndef g():\n    """Two."""\n    return 1\n',
        "\n\n\ndef g():\n    # moved down\n    return (1)\n",
    ],
)
def test_comments_docstrings_and_positions_do_not_count(project, text):
    before = digest.code_digest("make")
    assert _after(project, "src/oddjet/room/b.py", text) == before


def test_module_outside_the_closure_does_not_count(project):
    before = digest.code_digest("make")
    assert _after(project, "src/oddjet/c.py", "x = 2\n") == before


def test_import_for_type_checking_does_not_count_but_a_real_one_does(project):
    before = digest.code_digest("make")
    with_import = _after(project, "src/oddjet/d.py", "from oddjet import c\n")
    assert with_import != before
    assert _after(project, "src/oddjet/c.py", "x = 2\n") != with_import


def test_package_above_a_module_counts(project):
    before = digest.code_digest("make")
    assert _after(project, "src/oddjet/room/__init__.py", "y = 1\n") != before


def test_modules_named_by_hand_count(project):
    before = digest.code_digest("make", "oddjet.c")
    assert before != digest.code_digest("make")
    assert _after(project, "src/oddjet/c.py", "x = 2\n", "oddjet.c") != before


def test_import_inside_a_function_counts(project):
    before = _after(project, "src/oddjet/a.py", "def f():\n    from oddjet import c\n    return c.x\n")
    assert _after(project, "src/oddjet/c.py", "x = 3\n") != before


def test_errors_name_what_is_wrong(project):
    with pytest.raises(digest.DigestError, match=r"absent\.py: no such script"):
        digest.code_digest("absent")
    with pytest.raises(digest.DigestError, match=r"'oddjet\.absent' is not a module"):
        digest.code_digest("make", "oddjet.absent")
    with pytest.raises(digest.DigestError, match=r"b\.py: not Python"):
        _after(project, "src/oddjet/room/b.py", "def g(:\n")
    with pytest.raises(digest.DigestError, match="relative import"):
        _after(project, "src/oddjet/room/b.py", "from . import x\n")
