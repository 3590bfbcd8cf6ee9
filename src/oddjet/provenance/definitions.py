"""The definitions of a module, read from its syntax tree: what each binds, what it uses, and what it does on import.

A definition is a statement at the top of a module: a function, a class (as a whole: methods are called on objects, and
which ones the text does not say), an assignment, or one name of an import. Nothing is imported to find them.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from oddjet.errors import DigestError
from oddjet.provenance.syntax import dotted, fields_of, root, syntax_digest, walk

# Names by which code reaches what its text does not name: their module counts as a whole. `getattr` is none of them:
# of an object it reaches what counts with the object's class, and a module counts where it is handed on.
HIDDEN = frozenset(("globals", "locals", "eval", "exec", "__import__", "import_module", "__dict__"))
# What makes a class run code when another one is defined, or finds classes that nothing names: nobody can say what such
# a program reaches, and all modules that it imports count as a whole.
UNBOUNDED = frozenset(("__subclasses__", "__init_subclass__", "__pydantic_init_subclass__", "metaclass", "get_objects"))

# What may be called while a module is imported and only makes a value: a definition that calls nothing else counts for
# those alone that use it. `kernel` keeps what it makes with the function.
HARMLESS = {
    "abc": "abstractmethod",
    "builtins": "bool bytes classmethod complex dict enumerate float frozenset int len list max min object property"
    " range reversed round set slice sorted staticmethod str sum super tuple type zip",
    "collections": "Counter OrderedDict defaultdict namedtuple",
    "contextlib": "contextmanager",
    "dataclasses": "dataclass field",
    "functools": "cache cached_property lru_cache partial wraps",
    "itertools": "chain product",
    "logging": "getLogger",
    # Of plain values.
    "methods": "copy format items join keys lower resolve setter split splitlines values view",
    "math": "exp log pi radians sqrt",
    "numba.extending": "intrinsic",
    "numpy": "arange array concatenate dtype float32 float64 full int32 int64 linspace log sqrt uint32 uint64",
    "oddjet.kernels": "compiled kernel",
    "pathlib": "Path PurePath",
    "pydantic": "AfterValidator BeforeValidator ConfigDict Discriminator Field PrivateAttr StringConstraints Tag"
    " TypeAdapter computed_field field_serializer field_validator model_serializer model_validator",
    "re": "compile",
    "torch": "no_grad",
    "types": "MappingProxyType",
    "typing": "NewType ParamSpec TypeVar cast final overload override runtime_checkable",
}
HARMLESS_NAMES = frozenset(f"{module}.{name}" for module, names in HARMLESS.items() for name in names.split())
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Imported(NamedTuple):
    """One name of an import statement: `name` of `module` (the module itself where empty), bound to `alias`."""

    module: str
    name: str
    alias: str


class Definition(NamedTuple):
    """A statement at the top of a module.

    Attributes
    ----------
    names
        What it binds.
    digest
        Of its syntax tree, without positions and docstrings.
    uses
        Dotted names that it reads: `auc`, `features.registry.names`.
    calls
        Those of them that importing the module reads: decorators, defaults, class bodies.
    imports
        The import statements in it.
    runs
        Whether importing the module may do more by it than bind its names: it counts for everyone who imports it.
    """

    names: tuple[str, ...]
    digest: str
    uses: tuple[str, ...]
    calls: tuple[str, ...]
    imports: tuple[Imported, ...]
    runs: bool


class Contents(NamedTuple):
    """A module: its definitions in their order, whether it counts as a whole, and whether nothing can be said."""

    definitions: tuple[Definition, ...]
    whole: bool
    unbounded: bool


def read_definitions(text: bytes, name: str, *, program: bool = False) -> Contents:
    """Read the definitions of a module.

    Parameters
    ----------
    text
        The file.
    name
        What errors call it.
    program
        Whether it is executed as a program: what stands under `if __name__ == "__main__":` runs then alone.

    Raises
    ------
    DigestError
        It does not parse, or has a relative import.
    """
    try:
        tree = ast.parse(text, filename=name)
    except (SyntaxError, ValueError) as error:
        raise DigestError(f"{name}: not Python that can be parsed ({error}).") from error
    statements = [node for node in _executed(tree.body) if program or not _is_main(node)]
    module = _Module(statements)
    definitions = [part for statement in statements for part in module.parts(statement, name)]
    used = {"TYPE_CHECKING", *(use.split(".")[0] for part in definitions for use in part.uses)}
    # An import whose name nobody uses is there for what it does.
    definitions = [
        part._replace(runs=True) if part.imports and not part.uses and not used.intersection(part.names) else part
        for part in definitions
    ]
    hidden = module.words & HIDDEN or any(part.names == ("*",) or "__getattr__" in part.names for part in definitions)
    return Contents(tuple(definitions), bool(hidden), bool(module.words & UNBOUNDED))


class _Module:
    """What the definitions of one module are judged by: its imports and plain aliases by name.

    `words` gathers what it holds of the lists above.
    """

    def __init__(self, statements: Sequence[ast.stmt]) -> None:
        self.words: set[str] = set()
        self._origins: dict[str, str] = {}
        self._own = {statement.name for statement in statements if isinstance(statement, (*FUNCTIONS, ast.ClassDef))}
        self._lazy = False
        for statement in statements:
            if isinstance(statement, ast.Import):
                for alias in statement.names:
                    first = alias.name.split(".")[0]
                    self._origins[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(statement, ast.ImportFrom) and statement.module:
                self._lazy |= statement.module == "__future__" and any(a.name == "annotations" for a in statement.names)
                for alias in statement.names:
                    self._origins[alias.asname or alias.name] = f"{statement.module}.{alias.name}"
            elif isinstance(statement, ast.Assign | ast.AnnAssign):
                target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
                if isinstance(target, ast.Name) and statement.value and (origin := self._origin(statement.value)):
                    self._origins[target.id] = origin

    def parts(self, statement: ast.stmt, file: str) -> Iterator[Definition]:
        """Give the definitions that a statement makes: an import one for each name, what is no code none."""
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return
        nodes = list(walk(statement))
        imports = tuple(_imports(nodes, file))
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for one in imports:
                digest = hashlib.sha256("\0".join(one).encode()).hexdigest()[:16]
                yield Definition((one.alias,), digest, (), (), (one,), runs=one.module == "__future__")
            return
        self.words.update(_words(nodes))
        names = _bound(statement, nodes)
        runs = not self._only_binds(statement)
        uses = set(_uses(statement, lazy=self._lazy and not runs))
        calls = {use for part in _on_import(statement) for use in _uses(part, lazy=self._lazy)}
        yield Definition(
            names, syntax_digest(statement), tuple(sorted(uses)), tuple(sorted(uses & calls)), imports, runs
        )

    def _only_binds(self, statement: ast.stmt, *, in_class: bool = False) -> bool:
        """Tell whether executing a statement does nothing but bind names in its module or class."""
        if isinstance(statement, FUNCTIONS):
            return all(self._is_harmless(part, decorator=True) for part in statement.decorator_list) and all(
                self._is_harmless(part) for part in _defaults(statement)
            )
        if isinstance(statement, ast.ClassDef):
            return (
                all(self._is_harmless(part, decorator=True) for part in statement.decorator_list)
                and all(self._is_harmless(part) for part in statement.bases)
                and all(self._is_harmless(keyword.value) for keyword in statement.keywords)
                and all(self._only_binds(part, in_class=True) for part in statement.body)
            )
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            plain = all(isinstance(part, ast.Name | ast.Tuple | ast.Store) for t in targets for part in ast.walk(t))
            return plain and (statement.value is None or self._is_harmless(statement.value))
        constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        return in_class and (constant or isinstance(statement, ast.Pass))

    def _is_harmless(self, expression: ast.expr, *, decorator: bool = False) -> bool:
        if decorator and not isinstance(expression, ast.Call) and not self._makes_value(expression):
            return False
        return all(self._makes_value(node.func) for node in _evaluated(expression) if isinstance(node, ast.Call))

    def _makes_value(self, called: ast.expr) -> bool:
        origin = self._origin(called)
        if origin is None:
            if isinstance(called, ast.Attribute):
                return f"methods.{called.attr}" in HARMLESS_NAMES
            origin = f"builtins.{called.id}" if isinstance(called, ast.Name) and called.id not in self._own else ""
        return origin in HARMLESS_NAMES

    def _origin(self, expression: ast.expr) -> str | None:
        """Give the full name of what an expression names where it comes from an import: `numpy.float32`."""
        name = dotted(expression)
        if name is None:
            return None
        first, _, rest = name.partition(".")
        origin = self._origins.get(first)
        return origin and ".".join(filter(None, (origin, rest)))


def _executed(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Walk the statements of a module without what stands under `if TYPE_CHECKING:`, which never runs."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _executed(node.orelse)
        else:
            yield node


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def _imports(nodes: Iterable[ast.AST], file: str) -> Iterator[Imported]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                # `import a.b` binds a, and a.b is executed.
                yield Imported(alias.name, "", alias.asname or alias.name.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                raise DigestError(
                    f"{file}:{node.lineno}: a relative import, which the digest does not follow; name it in full."
                )
            for alias in node.names:
                yield Imported(node.module, alias.name, alias.asname or alias.name)


def _bound(statement: ast.stmt, nodes: Iterable[ast.AST]) -> tuple[str, ...]:
    """Name what a statement binds in its module; a function or class binds itself alone, and what it says is global."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return (statement.name,)
    names = []
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.append(node.id)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.alias):
            names.append(node.asname or node.name.split(".")[0])
    return tuple(dict.fromkeys(names))


def _uses(tree: ast.AST, *, lazy: bool) -> Iterator[str]:
    """Name, with dots, everything that the code reads.

    With `lazy` annotations (`from __future__ import annotations`) those of functions and of local names are never
    evaluated, and what they name is not reached by them; those in a class are read by pydantic and dataclasses.
    """
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, in_class = waiting.pop()
        name = dotted(node)
        if name is not None:
            if not isinstance(root(node).ctx, ast.Store):
                yield name
            continue
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        for field in fields_of(type(node)):
            value = getattr(node, field, None)
            annotation = field in ("annotation", "returns")
            if annotation and lazy and not in_class:
                continue
            inner = isinstance(node, ast.ClassDef) and field == "body"
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST):
                    if annotation:
                        yield from _quoted(child)
                    waiting.append((child, inner and isinstance(child, ast.AnnAssign)))


def _quoted(annotation: ast.AST) -> Iterator[str]:
    """Name what an annotation reads that is written between quotes."""
    for node in walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                yield from _uses(ast.parse(node.value, mode="eval"), lazy=False)
            except SyntaxError:
                continue


def _on_import(statement: ast.stmt) -> Iterator[ast.expr]:
    """Give the expressions of a function or class that are evaluated when its module is imported."""
    if isinstance(statement, FUNCTIONS):
        yield from statement.decorator_list
        yield from _defaults(statement)
    elif isinstance(statement, ast.ClassDef):
        yield from statement.decorator_list
        for part in statement.body:
            if isinstance(part, ast.Assign | ast.AnnAssign) and part.value is not None:
                yield part.value
            yield from _on_import(part)


def _defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    return [*function.args.defaults, *(part for part in function.args.kw_defaults if part is not None)]


def _evaluated(expression: ast.expr) -> Iterator[ast.AST]:
    """Walk an expression without the bodies of its lambdas, which run later."""
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _words(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Give the words of the lists above among the names, attributes, methods and keywords of a tree."""
    for node in nodes:
        if isinstance(node, ast.Call) and not node.args and isinstance(node.func, ast.Name) and node.func.id == "vars":
            yield "globals"
        elif isinstance(node, ast.Name):
            if node.id in HIDDEN:
                yield node.id
        elif isinstance(node, ast.Attribute):
            # `network.eval()` is no `eval(...)`.
            if node.attr in UNBOUNDED or node.attr in ("import_module", "__dict__"):
                yield node.attr
            elif node.attr == "modules" and dotted(node) == "sys.modules":
                yield "__import__"
        elif isinstance(node, FUNCTIONS):
            if node.name in UNBOUNDED:
                yield node.name
        elif isinstance(node, ast.keyword) and node.arg in UNBOUNDED:
            yield str(node.arg)
