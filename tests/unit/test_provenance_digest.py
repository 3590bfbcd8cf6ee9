"""The code digest covers what a script can reach, and nothing else."""

import re
import runpy
import shutil
import statistics
import sys
from pathlib import Path

import pytest

from oddjet.errors import DigestError
from oddjet.provenance import digest
from oddjet.provenance.parsed import DIGESTS, NAME
from oddjet.provenance.reach import UNCOUNTED

# The files that a test changes, the script among them; `b` is two imports away.
FILES = {
    "src/oddjet/__init__.py": '"""Package."""\n',
    "src/oddjet/room/__init__.py": '"""Room."""\n',
    "src/oddjet/a.py": "from oddjet.room import b\n\ndef f():\n    return b.g()\n\ndef other():\n    return b.h()\n",
    "src/oddjet/room/b.py": '"""Module."""\n\ndef g():\n    """One."""\n    return 1  # 1\n\ndef h():\n    return 2\n',
    "src/oddjet/c.py": "x = 1\ny = 2\n",
    "src/oddjet/registry.py": "KINDS = {}\n\ndef kind(one):\n    KINDS[one.__name__] = one\n    return one\n",
    "workflow/scripts/make.py": "import numpy\nfrom oddjet.a import f\n\nprint(f())\n",
}


class Project:
    """A small project: its files are changed, and the digest is asked for again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(**FILES)

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        digest.forget()

    def digest(self, *modules: str, **files: str) -> str:
        self.write(**files)
        return digest.code_digest("make", *modules)

    def add(self, name: str, text: str, *modules: str) -> str:
        return self.digest(*modules, **{name: (self.folder / name).read_text() + text})

    def counts(self, name: str, before: str, after: str, *modules: str) -> bool:
        """Tell whether a text in a file changes the digest when it becomes another."""
        text = (self.folder / name).read_text()
        assert text.count(before) == 1, text
        first = self.digest(*modules)
        second = self.digest(*modules, **{name: text.replace(before, after)})
        self.write(**{name: text})
        return first != second


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(digest, "PACKAGE_FOLDER", tmp_path / "src/oddjet")
    monkeypatch.setattr(digest, "SCRIPTS_FOLDER", tmp_path / "workflow/scripts")
    yield Project(tmp_path)
    digest.forget()


B = "src/oddjet/room/b.py"
A = "src/oddjet/a.py"
C = "src/oddjet/c.py"
MAKE = "workflow/scripts/make.py"


def test_an_edit_of_what_is_reached_counts_and_of_its_neighbour_not(project):
    assert project.counts(B, "return 1", "return 3")
    assert not project.counts(B, "return 2", "return 3")
    assert not project.counts(A, "b.h()", "b.h() + 1")
    assert not project.counts(C, "x = 1", "x = 2")
    # A definition or an import more is nobody's.
    before = project.digest()
    assert project.add(B, "\nimport json\nUNUSED = json.dumps\n\ndef unused():\n    return json\n") == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""Module."""', '"""Told anew."""'),
        ('"""One."""', '"""Two."""'),
        ("  # 1", ""),
        ("def g", "\n\n\n# moved\ndef g"),
    ],
)
def test_comments_docstrings_and_positions_do_not_count(project, before, after):
    assert not project.counts(B, before, after)


@pytest.mark.parametrize(
    "text",
    [
        "from oddjet import c\ndef f():\n    return c.x\n",
        "import oddjet.c\ndef f():\n    return oddjet.c.x\n",
        "import oddjet.c as d\nf = d.x\n",
        "from oddjet.c import x as f\n",
        "def f():\n    from oddjet import c\n    return c.x\n",
        "def f():\n    from oddjet.c import x\n    return x\n",
        "try:\n    from oddjet.c import x\nexcept ImportError:\n    x = 0\ndef f():\n    return x\n",
        "from oddjet.c import x\nclass f:\n    def method(self):\n        return [x for _ in ()]\n",
        "from oddjet.c import x\nclass Base:\n    value = x\nclass f(Base):\n    pass\n",
        "from oddjet.c import x\ng = h = x\ndef f():\n    return lambda: h\n",
        "from oddjet.c import x\ndef f(value=x):\n    return value\n",
        "from __future__ import annotations\nfrom oddjet.c import x\nclass f:\n    field: x\n",
        "from __future__ import annotations\nfrom oddjet.c import x\nclass f:\n    field: list['x']\n",
        "from oddjet.c import x\ndef f(value: x):\n    return value\n",
    ],
)
def test_whatever_way_a_name_is_reached_it_counts_alone(project, text):
    project.write(**{A: text})
    assert project.counts(C, "x = 1", "x = 3")
    assert not project.counts(C, "y = 2", "y = 3")


def test_an_annotation_that_is_never_evaluated_reaches_nothing(project):
    project.write(
        **{A: "from __future__ import annotations\nfrom oddjet.c import x\ndef f(value: x) -> x:\n    a: x = 1\n"}
    )
    assert not project.counts(C, "x = 1", "x = 3")
    assert project.counts(A, "value: x", "value: int")


@pytest.mark.parametrize(
    "text",
    [
        # The module itself is handed on.
        "from oddjet import c\ndef f(name='y'):\n    return vars(c)[name]\n",
        "from oddjet import c\nf = [c]\n",
        "from oddjet import c\nf = c.__dict__\n",
        "from oddjet import c\ndef f():\n    return of(c)\ndef of(one, name='y'):\n    return getattr(one, name)\n",
        "import oddjet.c as c\ndef f(name='y'):\n    return getattr(c, name)\n",
        "from oddjet.c import *\nf = 1\n",
        "from oddjet import c\nd = c\ndef f():\n    return d.y\n",
        # What is not there may be made there.
        "from oddjet import c\ndef f():\n    return c.made_later\n",
    ],
)
def test_a_module_used_as_a_value_counts_as_a_whole(project, text):
    project.write(**{A: text})
    assert project.counts(C, "x = 1", "x = 3")
    assert project.counts(C, "y = 2", "y = 3")


@pytest.mark.parametrize(
    "text",
    [
        "def lookup(name):\n    return globals()[name]\n",
        "import importlib\ndef lookup(name):\n    return importlib.import_module(name)\n",
        "import sys\ndef lookup(name):\n    return sys.modules[__name__].name\n",
        "def lookup():\n    return vars()\n",
        "def __getattr__(name):\n    return h\n",
        "from oddjet.c import *\n",
    ],
)
def test_a_module_that_looks_up_its_names_counts_as_a_whole_once_it_is_reached(project, text):
    assert not project.counts(B, "return 2", "return 3")
    project.add(B, text)
    assert project.counts(B, "return 2", "return 3")
    # Nothing of it is reached; but of a star nobody can say which names it brings.
    project.write(**{A: "from oddjet.room import b\ndef f():\n    return 1\n"})
    assert "*" in text or not project.counts(B, "return 2", "return 3")


def test_an_attribute_of_an_object_hides_nothing(project):
    """What it reaches counts with the class of the object, wherever that is made."""
    project.add(B, "class K:\n    def get(self, other, name):\n        return getattr(other, name), vars(self)\n")
    assert not project.counts(B, "return 2", "return 3")


@pytest.mark.parametrize(
    "text",
    [
        "from oddjet.registry import kind\n@kind\ndef svm():\n    return 5\n",
        "from oddjet.registry import kind\n@kind\nclass Svm:\n    value = 5\n",
        "from oddjet import registry\nsvm = registry.kind(5)\n",
        "from oddjet.registry import KINDS\nKINDS['svm'] = 5\n",
        "from oddjet.registry import KINDS\nKINDS.update(svm=5)\n",
        "from oddjet.registry import kind\nclass A:\n    value = kind(5)\n",
        "from oddjet.registry import kind\ndef g(value=kind(5)):\n    return 0\n",
        "if 5 > 4:\n    pass\n",
        "import os\nos.environ['NUMBER'] = str(5)\n",
    ],
)
def test_what_an_import_runs_counts_though_nothing_names_it(project, text):
    project.write(**{"src/oddjet/kinds.py": text, A: "from oddjet import kinds\n\ndef f():\n    return 1\n"})
    assert project.counts("src/oddjet/kinds.py", "5", "6")
    if "kind" in text and "KINDS[" not in text and "update" not in text:
        assert project.counts("src/oddjet/registry.py", "return one", "return one or 1")


def test_a_decorator_that_only_wraps_does_not_make_its_function_count(project):
    project.add(B, "from functools import cache\n@cache\ndef kept():\n    return 7\n")
    assert not project.counts(B, "return 7", "return 8")


@pytest.mark.parametrize(
    "text",
    [
        "class f:\n    def all(self):\n        return f.__subclasses__()\n",
        "class f:\n    def __init_subclass__(cls):\n        print(cls)\n",
        "class f(metaclass=print):\n    pass\n",
    ],
)
def test_where_classes_are_found_that_nothing_names_all_that_is_imported_counts(project, text):
    project.write(**{A: f"from oddjet.room import b\nfrom oddjet import c\n{text}"})
    assert project.counts(B, "return 2", "return 3")
    assert project.counts(C, "y = 2", "y = 3")


def test_import_for_type_checking_does_not_count_and_neither_does_the_program_in_a_module(project):
    before = project.digest()
    assert project.add(A, "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from oddjet.c import *\n") == before
    assert project.add(A, "if __name__ == '__main__':\n    print(1)\n") == before
    project.add(MAKE, "if __name__ == '__main__':\n    print(1)\n")
    assert project.counts(MAKE, "print(1)", "print(2)")


def test_package_above_a_module_counts(project):
    before = project.digest()
    assert project.add("src/oddjet/room/__init__.py", "import os\nos.environ['A'] = 'B'\n") != before


def test_modules_named_by_hand_count_as_a_whole(project):
    assert project.digest() != project.digest("oddjet.c")
    assert project.counts(C, "x = 1", "x = 3", "oddjet.c")


def test_a_module_of_an_installed_package_counts_with_what_it_reaches(project, monkeypatch):
    monkeypatch.syspath_prepend(project.folder / "site")
    project.write(
        **{
            "site/mine/__init__.py": "",
            "site/mine/kind.py": "from mine.parts import x\nfrom oddjet.c import y\n\ndef build():\n    return x + y\n",
            "site/mine/parts.py": "x = 11\nunused = 22\n",
            "site/single.py": "VALUE = 33\n",
        }
    )
    assert project.counts("site/mine/kind.py", "x + y", "x - y", "mine.kind")
    assert project.counts("site/mine/parts.py", "11", "12", "mine.kind")
    assert project.counts(C, "y = 2", "y = 3", "mine.kind")
    assert not project.counts("site/mine/parts.py", "22", "23", "mine.kind")
    assert project.counts("site/single.py", "33", "34", "single")
    assert not {"mine", "single"} & set(sys.modules)


def test_errors_name_what_is_wrong(project):
    with pytest.raises(DigestError, match=r"absent\.py: no such script"):
        digest.code_digest("absent")
    for module in ("oddjet.absent", "absent", "absent.part"):
        with pytest.raises(DigestError, match=re.escape(f"'{module}' is not a module")):
            digest.code_digest("make", module)
    with pytest.raises(DigestError, match=r"b\.py: not Python"):
        project.digest(**{B: "def g(:\n"})
    with pytest.raises(DigestError, match="relative import"):
        project.digest(**{B: "from . import x\n"})


def test_a_file_that_nothing_reaches_may_be_broken(project):
    before = project.digest()
    assert project.digest(**{C: "def g(:\n"}) == before


@pytest.mark.parametrize("name", [NAME, DIGESTS])
def test_what_is_kept_is_never_old_and_may_be_damaged_or_absent(project, name):
    folder = project.folder / "src/oddjet/__pycache__"
    kept = folder / name
    first = project.digest()
    assert kept.is_file()
    assert project.digest() == first
    second = project.digest(**{B: FILES[B].replace("return 1", "return 4")})
    assert second != first
    whole = kept.read_text()
    for text in ("", "[]", "{}", whole[:100], '{"reader": 1, "files": {}}', '{"files": "", "digests": {}}'):
        (folder / DIGESTS).unlink()
        kept.write_text(text)
        assert project.digest() == second
        assert kept.read_text() == whole
    kept.unlink()
    kept.mkdir()
    assert project.digest() == second
    shutil.rmtree(folder)
    folder.write_text("in the way")
    assert project.digest() == second


def test_a_digest_is_made_once_for_all_processes(project, monkeypatch):
    made = project.digest(), digest.modules_digest(["oddjet.a"])
    digest.forget()
    monkeypatch.setattr(digest, "_digest", None)
    assert (digest.code_digest("make"), digest.modules_digest(["oddjet.a"])) == made
    # An edit that changes no digest is one of the files all the same.
    with pytest.raises(TypeError):
        project.add(C, "# a comment\n")


def test_an_edit_reruns_fewer_than_five_programs_on_average_and_never_more_than_by_module():
    path = digest.SCRIPTS_FOLDER.parents[1] / "benchmarks/reruns.py"
    counts = runpy.run_path(str(path))["reruns"]()
    assert len(counts) > 1000
    assert statistics.mean(by_definition for by_definition, _ in counts.values()) < 5
    assert not [name for name, (by_definition, by_module) in counts.items() if by_definition > by_module]


def test_what_counts_for_none_is_there():
    for name in UNCOUNTED:
        assert (digest.PACKAGE_FOLDER / f"{name}.py").is_file()


def scripts() -> list[str]:
    return sorted(path.stem for path in digest.SCRIPTS_FOLDER.glob("*.py"))


@pytest.mark.parametrize("script", scripts())
def test_a_script_reaches_nothing_outside_what_it_imports(script):
    imported = digest.imported_modules(script)
    own = f"workflow/scripts/{script}.py."
    outside = {
        name
        for name in digest.reached_definitions(script)
        if not name.startswith(own) and name.rpartition(".")[0] not in imported
    }
    assert not outside
