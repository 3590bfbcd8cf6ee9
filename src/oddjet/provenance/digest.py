"""A digest of the code behind a script: its syntax tree and that of every module of the package that it imports.

Snakemake compares the text of a rule and the mtime of a script, never what the script imports. Rules therefore carry
this digest as a parameter: an edit of a function reruns the stages that import its module, and nothing else; comments,
docstrings, positions and mtimes do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from oddjet.errors import DigestError

PACKAGE = "oddjet"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
PACKAGE_FOLDER = Path(__file__).resolve().parents[1]
SCRIPTS_FOLDER = PACKAGE_FOLDER.parents[1] / "workflow" / "scripts"


# Of each kind of node, the fields that count; filled as kinds come.
FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


def code_digest(entry: str, *modules: str) -> str:
    """Digest a script and everything of the package that it imports, directly or not.

    Parameters
    ----------
    entry
        Name of a script in `workflow/scripts` without `.py`.
    *modules
        Dotted names of further modules that the script imports by name at run time, which no static analysis sees.

    Returns
    -------
    str
        16 hexadecimal digits of SHA-256 over (name, syntax tree) of each file, in the order of the names.

    Raises
    ------
    DigestError
        The script or a named module does not exist, or does not parse.
    """
    script = SCRIPTS_FOLDER / f"{entry}.py"
    if not script.is_file():
        raise DigestError(f"{script}: no such script. `entry` is the name of a file in workflow/scripts without '.py'.")
    files = {f"workflow/scripts/{entry}.py": script}
    for module in modules:
        if _module_file(module) is None:
            raise DigestError(f"'{module}' is not a module of {PACKAGE}.")
    for module in closure([*_read(script)[1], *modules]):
        path = _module_file(module)
        if path is not None:
            files[module] = path
    return _digest(files)


def modules_digest(modules: Sequence[str]) -> str:
    """Digest modules of the package and everything of it that they import, as `code_digest` does for a script."""
    return _digest({module: path for module in closure(list(modules)) if (path := _module_file(module)) is not None})


def _digest(files: Mapping[str, Path]) -> str:
    """Give 16 hexadecimal digits of SHA-256 over (name, syntax tree) of each file, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{_read(files[name])[0]}\n".encode())
    return total.hexdigest()[:16]


def closure(modules: list[str]) -> set[str]:
    """Give the named modules of the package and all that they import, directly or not, with the packages above each."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _module_file(module)
        if module in found or path is None:
            continue
        found.add(module)
        # Importing a.b.c executes a and a.b first.
        waiting.extend(_parents(module))
        waiting.extend(_read(path)[1])
    return found


@cache
def _read(path: Path) -> tuple[str, tuple[str, ...]]:
    """Digest the syntax tree of a file, and list the names that it may import from the package.

    Names that are no modules are sorted out by `closure`. Parsed once: the workflow digests every file of the package
    whenever it is parsed, and each job parses it again.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise DigestError(f"{path}: not Python that can be parsed ({error}).") from error
    names: list[str] = []
    for node in _executed(tree.body):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise DigestError(
                f"{path}:{node.lineno}: a relative import, which the digest does not follow; name it from '{PACKAGE}'."
            )
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.extend([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    text: list[str] = []
    _write(tree, text)
    digest = hashlib.sha256("".join(text).encode()).hexdigest()
    return digest, tuple(name for name in names if name.split(".")[0] == PACKAGE)


def _executed(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Walk statements and those inside them, without what stands under `if TYPE_CHECKING:`, which never runs."""
    for node in body:
        yield node
        checked = isinstance(node, ast.If) and any(
            "TYPE_CHECKING" in (getattr(part, "id", None), getattr(part, "attr", None)) for part in ast.walk(node.test)
        )
        for field in ("orelse",) if checked else ("body", "handlers", "cases", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            if isinstance(inner, list):
                yield from _executed(inner)


def _write(node: object, text: list[str]) -> None:
    """Write a syntax tree without positions, docstrings and what follows from the rest; `ast.dump` is slower."""
    if isinstance(node, ast.AST):
        kind = type(node)
        text.append(kind.__name__)
        for field in FIELDS.get(kind) or _fields(kind):
            value = getattr(node, field, None)
            if field == "body" and isinstance(node, DOCUMENTED) and _is_docstring(node.body[:1]):
                value = node.body[1:]
            # Most values are words and lists: a call less for each.
            if isinstance(value, list):
                text.append(f"[{len(value)}")
                for item in value:
                    _write(item, text)
            elif isinstance(value, ast.AST):
                _write(value, text)
            else:
                text.append(f" {value!r} ")
    else:
        text.append(f" {node!r} ")


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    FIELDS[kind] = tuple(field for field in kind._fields if field not in ("ctx", "type_comment", "kind"))
    return FIELDS[kind]


def _is_docstring(first: Sequence[ast.stmt]) -> bool:
    expression = first[0].value if first and isinstance(first[0], ast.Expr) else None
    return isinstance(expression, ast.Constant) and isinstance(expression.value, str)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _module_file(module: str) -> Path | None:
    return _find_module(PACKAGE_FOLDER, module)


@cache
def _find_module(package: Path, module: str) -> Path | None:
    path = package.parent.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
