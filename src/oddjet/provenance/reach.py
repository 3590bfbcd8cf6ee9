"""What code can reach: definitions, by the names that they use, through imports, from some modules on.

Of each module that is imported on the way, what the import runs is reached as well: statements that do more than bind
a name (a registration, a setting), decorators and defaults, with all that they use. Where the text does not say what is
reached, more counts: a class with all its methods; a module as a whole that is handed on as a value (to `getattr`), or
that uses `globals` or imports by name; and all that is imported where a program finds classes that nothing names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import _lru_cache_wrapper, cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from oddjet.provenance.definitions import Contents, Definition, Imported
from oddjet.provenance.parsed import kept_definitions, kept_digests, read_contents

# Scripts go by their file's name, which no module has.
SCRIPT = "workflow/scripts/{}.py"
# What counts for none: what makes digests, for an edit of it changes the digests themselves; the words of errors, which
# leave no result; how a whole file gets its name; and where compiled kernels lie, which is named by what they were
# compiled from.
UNCOUNTED = (
    *(f"provenance/{name}" for name in ("definitions", "digest", "kernel_cache", "parsed", "reach", "syntax")),
    "io/atomic",
    "messages",
)
# A definition: its module and its place there.
Place = tuple[str, int]


class Code(NamedTuple):
    """The code that is followed.

    Attributes
    ----------
    package, scripts
        Folders, of the package and of the scripts.
    packages
        Names of the package and of installed ones that are followed too.
    """

    package: Path
    scripts: Path
    packages: tuple[str, ...]


def reach(code: Code, modules: Sequence[str]) -> set[Place]:
    """Return all that the given modules, each taken as a whole, can reach."""
    reached = _Reached(code)
    reached.take(modules)
    return reached.finished()


def import_closure(code: Code, modules: Sequence[str]) -> set[str]:
    """Name the given modules and all that they import, directly or not, with the packages above each."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found and module_file(code, module) is not None:
            found.add(module)
            # Importing a.b.c executes a and a.b first.
            waiting.extend((*_parents(module), *imports_of(code, module)))
    return found


def imports_of(code: Code, module: str) -> Iterator[str]:
    """Name what a module may import; names that are no modules are among them."""
    for part in contents_of(code, module).definitions:
        yield from _targets(part.imports)


def all_places(code: Code, module: str) -> list[Place]:
    """List the definitions of a module."""
    return [(module, index) for index in range(len(contents_of(code, module).definitions))]


@cache
def contents_of(code: Code, module: str) -> Contents:
    """Read the definitions of a module that is followed."""
    path = module_file(code, module)
    assert path is not None, module
    return read_contents(path, code.package, code.scripts)


@cache
def module_file(code: Code, module: str) -> Path | None:
    """Find the file of a module; None for one that is not followed, and for a name that is no module."""
    if module.startswith(SCRIPT.partition("{")[0]):
        return code.scripts / Path(module).name
    first, *rest = module.split(".")
    folder = _folder(code, first) if first in code.packages else None
    if folder is None:
        return None
    path = folder.joinpath(*rest)
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return None if folder == code.package and "/".join(rest) in UNCOUNTED else file
    return None


def forget_files() -> None:
    """Read all files again from now on."""
    forgotten: tuple[_lru_cache_wrapper[Any], ...] = (contents_of, module_file, _bindings, _folder, _steps, _on_import)
    for function in (*forgotten, read_contents, kept_definitions, kept_digests):
        function.cache_clear()


class _Steps(NamedTuple):
    """Where something leads: to definitions, to modules as a whole, and to imports; modules are followed ones."""

    definitions: tuple[Place, ...] = ()
    whole: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()


class _Reached:
    """What is reached so far; everything in it leads on to what it needs."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._found: set[Place] = set()
        self._imported: set[str] = set()
        self._taken: set[str] = set()

    def take(self, modules: Sequence[str]) -> None:
        """Count modules as a whole."""
        waiting = [_Steps(whole=_followed(self._code, modules))]
        while waiting:
            steps = waiting.pop()
            for place in steps.definitions:
                if place not in self._found:
                    self._found.add(place)
                    waiting.append(_steps(self._code, place))
            for module in steps.imported:
                if module not in self._imported:
                    self._imported.add(module)
                    waiting.append(_on_import(self._code, module))
            for module in steps.whole:
                if module not in self._taken:
                    self._taken.add(module)
                    waiting.append(_Steps(tuple(all_places(self._code, module)), imported=(module,)))

    def finished(self) -> set[Place]:
        """Return the definitions; those of all modules imported where one may find what nothing names."""
        if any(contents_of(self._code, module).unbounded for module in self._imported):
            while missing := self._imported - self._taken:
                self.take(sorted(missing))
        return self._found


@cache
def _on_import(code: Code, module: str) -> _Steps:
    """Find what importing a module runs, and what it imports."""
    found, imported = [], _parents(module)
    for index, part in enumerate(contents_of(code, module).definitions):
        if part.runs:
            found.append(_Steps(((module, index),)))
        if _is_import(part):
            imported.extend(_targets(part.imports))
        found.extend(_resolved(code, module, use) for use in part.calls)
    return _joined(found)._replace(imported=_followed(code, imported))


@cache
def _steps(code: Code, place: Place) -> _Steps:
    """Find where a definition leads."""
    module, index = place
    contents = contents_of(code, module)
    part = contents.definitions[index]
    found = [_resolved(code, module, use, part.imports) for use in part.uses]
    if contents.whole:
        # What is looked up by name may be what was imported.
        found.extend(_through(code, one, ()) for one in part.imports if one.name)
        found.append(_Steps(whole=(module,)))
    # A star's names are those of the other module.
    found.extend(_Steps(whole=(one.module,)) for one in part.imports if one.name == "*")
    return _joined(found)._replace(imported=_followed(code, [module, *_targets(part.imports)]))


def _resolved(code: Code, module: str, use: str, imports: Sequence[Imported] = ()) -> _Steps:
    """Find what a dotted name stands for in a definition with imports of its own."""
    names = use.split(".")
    found = [_through(code, one, names[1:]) for one in imports if one.alias == names[0]]
    if names[0] in _bindings(code, module):
        found.append(_attribute(code, module, names))
    return _joined(found)


def _through(code: Code, one: Imported, rest: Sequence[str]) -> _Steps:
    """Find an attribute of what an import binds."""
    if one.name:
        return _attribute(code, one.module, [one.name, *rest])
    # `import a.b` binds a.
    return _attribute(code, one.alias if one.module.startswith(f"{one.alias}.") else one.module, rest)


def _attribute(code: Code, module: str, names: Sequence[str]) -> _Steps:
    """Find an attribute of a module: what binds it, and what lies behind where that is an import."""
    if module_file(code, module) is None:
        return _Steps()
    if not names:
        return _Steps(whole=(module,))
    first, *rest = names
    found = []
    for index in _bindings(code, module).get(first, ()):
        imports = contents_of(code, module).definitions[index].imports
        found.append(_Steps(((module, index),)))
        found.extend(_through(code, one, rest) for one in imports if one.alias == first)
    if not found and module_file(code, f"{module}.{first}") is not None:
        found.append(_attribute(code, f"{module}.{first}", rest))
    if not found and first not in ("__doc__", "__file__", "__name__"):
        found.append(_Steps(whole=(module,)))
    return _joined(found)


def _joined(found: Sequence[_Steps]) -> _Steps:
    if len(found) < 2:
        return found[0] if found else _Steps()
    return _Steps(
        tuple(dict.fromkeys(place for steps in found for place in steps.definitions)),
        tuple(dict.fromkeys(module for steps in found for module in steps.whole)),
    )


def _followed(code: Code, modules: Iterable[str]) -> tuple[str, ...]:
    return tuple(module for module in dict.fromkeys(modules) if module_file(code, module) is not None)


def _is_import(part: Definition) -> bool:
    """Tell whether a definition is one name of an import statement."""
    return not part.uses and part.names == tuple(one.alias for one in part.imports)


def _targets(imports: Sequence[Imported]) -> Iterator[str]:
    for one in imports:
        yield one.module
        if one.name:
            yield f"{one.module}.{one.name}"


def _parents(module: str) -> list[str]:
    parts = module.split(".") if "/" not in module else []
    return [".".join(parts[:count]) for count in range(1, len(parts))]


@cache
def _bindings(code: Code, module: str) -> Mapping[str, list[int]]:
    """Return the places of the definitions that bind each name of a module."""
    found: dict[str, list[int]] = {}
    for index, part in enumerate(contents_of(code, module).definitions):
        for name in part.names:
            found.setdefault(name, []).append(index)
    return found


@cache
def _folder(code: Code, package: str) -> Path | None:
    """Find the folder of a package, or the file of a single module without its suffix; nothing is imported."""
    if package == code.package.name:
        return code.package
    spec = find_spec(package)
    path = Path(spec.origin) if spec is not None and spec.origin is not None else None
    return path and (path.parent if path.name == "__init__.py" else path.with_suffix(""))
