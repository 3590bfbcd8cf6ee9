"""A digest of the code behind a script: its own, and every definition of the package that it can reach.

Snakemake compares the text of a rule and the mtime of a script, never what the script imports. Rules therefore carry
this digest as a parameter: an edit of a function reruns the stages whose scripts can reach it, and nothing else;
comments, docstrings, positions and mtimes do not count. `oddjet.provenance.reach` says what is reached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from oddjet.errors import DigestError
from oddjet.provenance.parsed import kept_digest
from oddjet.provenance.reach import (
    SCRIPT,
    Code,
    Place,
    all_places,
    contents_of,
    forget_files,
    import_closure,
    imports_of,
    module_file,
    reach,
)

PACKAGE = "oddjet"
PACKAGE_FOLDER = Path(__file__).resolve().parents[1]
SCRIPTS_FOLDER = PACKAGE_FOLDER.parents[1] / "workflow" / "scripts"


def code_digest(entry: str, *modules: str) -> str:
    """Digest a script and everything that it can reach.

    Parameters
    ----------
    entry
        Name of a script in `workflow/scripts` without `.py`.
    *modules
        Dotted names of further modules that the script imports by name at run time, which no reading of its text finds:
        of the package, or of another one that is installed. They count as a whole, with what they reach.

    Returns
    -------
    str
        16 hexadecimal digits of SHA-256 over the definitions reached: module and syntax trees, in order.

    Raises
    ------
    DigestError
        The script or a named module does not exist, or does not parse.
    """
    return _code_digest(_followed(modules), entry, modules)


def reached_definitions(entry: str, *modules: str) -> set[str]:
    """Name all that a script reaches, `module.name` each; arguments as of `code_digest`."""
    code = _followed(modules)
    return {
        f"{module}.{name}"
        for module, index in _reached(code, entry, modules)
        for name in contents_of(code, module).definitions[index].names
    }


def defined_names(module: str) -> set[str]:
    """Name all that a module of the package defines: functions, classes and values, not what it imports."""
    parts = contents_of(_followed(()), module).definitions
    return {name for part in parts for name in part.names if not part.imports or part.uses}


def imported_modules(entry: str, *modules: str) -> set[str]:
    """Name the modules that a script may import, directly or not, with the packages above each."""
    code = _followed(modules)
    return import_closure(code, [*imports_of(code, _script(entry)), *modules])


def modules_digest(modules: Sequence[str]) -> str:
    """Digest modules of the package and all of it that they import, each as a whole."""
    code = _followed(modules)
    return _kept(code, ("", *modules), lambda: _digest(code, _all_of(code, modules)))


def closure(modules: Sequence[str]) -> set[str]:
    """Name the given modules and all that they import of their packages, with the packages above each."""
    return import_closure(_followed(modules), modules)


def forget() -> None:
    """Read all files again from now on, for those who edit them."""
    _code_digest.cache_clear()
    forget_files()


@cache
def _code_digest(code: Code, entry: str, modules: tuple[str, ...]) -> str:
    # A rule asks for each of its jobs, and most of them have the same code.
    return _kept(code, (entry, *modules), lambda: _digest(code, _reached(code, entry, modules)))


def _kept(code: Code, key: Sequence[str], digest_of: Callable[[], str]) -> str:
    """Return a digest; where it follows from our own files alone, one process makes it for all."""
    if code.packages != (PACKAGE,):
        return digest_of()
    return kept_digest(code.package, code.scripts, " ".join(key), digest_of)


def _all_of(code: Code, modules: Sequence[str]) -> Iterator[Place]:
    for module in import_closure(code, modules):
        yield from all_places(code, module)


def _reached(code: Code, entry: str, modules: Sequence[str]) -> set[Place]:
    for module in modules:
        if module_file(code, module) is None:
            raise DigestError(f"'{module}' is not a module of {PACKAGE}, nor of an installed package.")
    return reach(code, [_script(entry), *modules])


def _digest(code: Code, places: Iterable[Place]) -> str:
    """Return 16 hexadecimal digits of SHA-256 over definitions, module by module in their order."""
    total = hashlib.sha256()
    before = ""
    for module, index in sorted(places):
        if module != before:
            total.update(f"\n{module}\0".encode())
            before = module
        total.update(contents_of(code, module).definitions[index].digest.encode())
    return total.hexdigest()[:16]


def _followed(modules: Sequence[str]) -> Code:
    """Follow our package, and those of modules that are named."""
    packages = {PACKAGE, *(module.split(".")[0] for module in modules)}
    return Code(PACKAGE_FOLDER, SCRIPTS_FOLDER, tuple(sorted(packages)))


def _script(entry: str) -> str:
    if not (path := SCRIPTS_FOLDER / f"{entry}.py").is_file():
        raise DigestError(f"{path}: no such script. `entry` is the name of a file in workflow/scripts without '.py'.")
    return SCRIPT.format(entry)
