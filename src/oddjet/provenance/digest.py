"""A digest of the code behind a script: its syntax tree and that of every module of the package that it imports.

Snakemake compares the text of a rule and the mtime of a script, never what the script imports. Rules therefore carry
this digest as a parameter: an edit of a function reruns the stages that import its module, and nothing else; comments,
docstrings, positions and mtimes do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from oddjet.errors import OddjetError

PACKAGE = "oddjet"
PACKAGE_FOLDER = Path(__file__).resolve().parents[1]
SCRIPTS_FOLDER = PACKAGE_FOLDER.parents[1] / "workflow" / "scripts"


class DigestError(OddjetError):
    """A script or module to be digested does not exist or is not Python."""


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
    for module in closure([*_imports(script), *modules]):
        path = _module_file(module)
        if path is not None:
            files[module] = path
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{_tree_digest(files[name])}\n".encode())
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
        waiting.extend(_imports(path))
    return found


@cache
def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise DigestError(f"{path}: not Python that can be parsed ({error}).") from error


@cache
def _tree_digest(path: Path) -> str:
    tree = ast.parse(ast.unparse(_tree(path)))  # a copy: docstrings are taken out of it
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _has_docstring(
            node
        ):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree, include_attributes=False).encode()).hexdigest()


def _has_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Dotted names that a file may import from the package; names that are no modules are sorted out by `closure`."""
    names: list[str] = []
    for node in _executed(_tree(path)):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.append(node.module)
            names.extend(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise DigestError(
                f"{path}:{node.lineno}: a relative import, which the digest does not follow; name it from '{PACKAGE}'."
            )
    return tuple(name for name in names if name.split(".")[0] == PACKAGE)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without what stands under `if TYPE_CHECKING:`, which never runs."""
    for child in ast.iter_child_nodes(node):
        yield child
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _executed(other)
            continue
        yield from _executed(child)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _module_file(module: str) -> Path | None:
    path = PACKAGE_FOLDER.parent.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
