"""The grammar of cuts and columns: what a user may write, read as Python's syntax tree and refused unless it is known.

Nothing is ever executed: a tree holds names, numbers, operators and the functions of `FUNCTIONS` alone, and
`oddjet.selection.evaluation` walks it. A name that is no branch is refused with those that are like it.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

# Branches of menus that come and go with the runs.
TRIGGERS = ("HLT_", "L1_", "DST_")
# Columns of a jet that an expression may name.
JET_COLUMNS = ("pt", "eta", "phi", "mass", "n_constituents", "jet_rank")
NEAREST = 3


def no_branch(name: str, place: str, known: Iterable[str]) -> str:
    """Say that there is no branch of a name that stands in a place, and which names are like it."""
    spelled = {_spelling(one): one for one in known}
    wanted = _spelling(name)
    # `jet_id` is more probably the part behind a collection's name than a slip in it.
    inside = [one for spelling, one in spelled.items() if spelling.endswith(wanted)]
    close = [spelled[one] for one in difflib.get_close_matches(wanted, spelled, n=NEAREST)]
    near = list(dict.fromkeys([*sorted(inside, key=len)[:NEAREST], *close]))[:NEAREST]
    return f"{place}: there is no branch {name!r}" + (f"; the nearest are {', '.join(near)}" if near else "")


def _spelling(name: str) -> str:
    return name.lower().replace("_", "").replace(".", "")


# Functions and the number of their arguments; those of a list give one value of it.
REDUCTIONS = ("count", "any", "all", "sum", "min", "max")
FUNCTIONS = {
    **dict.fromkeys(REDUCTIONS, 1),
    **dict.fromkeys(("abs", "sqrt", "log", "exp", "sin", "cos", "sinh", "cosh"), 1),
    "delta_phi": 2,
    "delta_r": 4,
}
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
SIGNS = (ast.Not, ast.USub, ast.UAdd)
LONGEST = 5000
LARGEST = 2**63
# Words of other languages, and what takes their place.
FOREIGN = {"&&": "and", "||": "or", "!": "not"}


@dataclass(frozen=True)
class Expression:
    """One clause of a cut, or one column.

    Attributes
    ----------
    text : str
        In one spelling, whatever its spaces were.
    tree : ast.expr
    names : tuple of str
        Branches and columns that it names, each once.
    """

    text: str
    tree: ast.expr
    names: tuple[str, ...]


def parse_cut(text: str) -> tuple[Expression, ...]:
    """Read a cut; its clauses at the top, joined by `and`, come one by one, each once.

    Raises
    ------
    ValueError
        The text is no expression of the grammar, or a clause is a number or names nothing; one line.

    Examples
    --------
    >>> [clause.text for clause in parse_cut("MET_pt>200 and (HLT_PFHT1050 or HLT_AK8PFJet500)")]
    ['MET_pt > 200', 'HLT_PFHT1050 or HLT_AK8PFJet500']
    """
    clauses = {}
    for part in _clauses(_tree(text)):
        clause = _expression(part)
        if _is_number(part):
            raise ValueError(f"{clause.text!r} is a number, not true or false; compare it, as in {clause.text} > 0")
        if not clause.names:
            raise ValueError(f"{clause.text!r} names no branch and no column, so it is the same for all")
        clauses[clause.text] = clause
    return tuple(clauses.values())


def parse_column(text: str) -> Expression:
    """Read the expression of a column; raises `ValueError`, one line, for what the grammar does not have."""
    return _expression(_tree(text))


def branch_name(node: ast.expr) -> str | None:
    """Return the name that a node is, with its dots (`MissingET.MET` is one branch); None for another node."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = branch_name(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


def _tree(text: str) -> ast.expr:
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise ValueError(f"an expression of {len(text)} letters; at most {LONGEST} are read")
    foreign = next((word for word in FOREIGN if word in text.replace("!=", "")), None)
    if foreign is not None:
        raise ValueError(f"{text!r} has {foreign!r}: write {FOREIGN[foreign]!r}")
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        place = f" at letter {error.offset}" if error.offset else ""
        raise ValueError(f"{text!r} is no expression: {error.msg}{place}") from None
    except (ValueError, MemoryError, RecursionError) as error:  # a null byte; brackets within brackets
        raise ValueError(f"{text[:80]!r} is no expression: {str(error) or 'too deeply nested'}") from None


def _clauses(tree: ast.expr) -> list[ast.expr]:
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And):
        return [clause for value in tree.values for clause in _clauses(value)]
    return [tree]


def _expression(tree: ast.expr) -> Expression:
    names: dict[str, None] = {}
    try:
        text = ast.unparse(tree)
        _check(tree, names)
    except RecursionError:
        raise ValueError("the expression is too deeply nested") from None
    return Expression(text, tree, tuple(names))


def _check(node: ast.expr, names: dict[str, None]) -> None:
    """Refuse what the grammar does not have, and gather the names."""
    name = branch_name(node)
    if name is not None:
        if name in FUNCTIONS:
            raise ValueError(f"{name} is a function: {name}({', '.join('...' for _ in range(FUNCTIONS[name]))})")
        names[name] = None
        return
    for inner in _parts(node):
        _check(inner, names)


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return the expressions within a node; raise `ValueError` for a node that is none of the grammar."""
    match node:
        case ast.Constant(value=(bool() | int() | float()) as value) if abs(value) < LARGEST:
            return []
        case ast.BoolOp():
            return node.values
        case ast.UnaryOp() if isinstance(node.op, SIGNS):
            return [node.operand]
        case ast.BinOp() if isinstance(node.op, ARITHMETIC):
            return [node.left, node.right]
        case ast.Compare() if all(isinstance(one, COMPARISONS) for one in node.ops):
            return [node.left, *node.comparators]
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
            if node.keywords or len(node.args) != FUNCTIONS[name]:
                raise ValueError(f"{ast.unparse(node)}: {name} takes {FUNCTIONS[name]} of the kind {name}(...)")
            return node.args
        case ast.Call():
            raise ValueError(f"{ast.unparse(node.func)}(...) is no function here; there are {', '.join(FUNCTIONS)}")
        case ast.Constant(value=int() | float()):
            raise ValueError(f"{ast.unparse(node)} is too large a number")
        case ast.Constant():
            raise ValueError(f"{ast.unparse(node)} is no number; a branch is named without quotes")
    raise ValueError(
        f"{ast.unparse(node)!r}: numbers, names, + - * / % **, & |, comparisons, and, or, not, and the functions "
        f"{', '.join(FUNCTIONS)} are all there is"
    )


def _is_number(node: ast.expr) -> bool:
    """Tell whether a node is a number whatever its names are."""
    match node:
        case ast.Constant(value=value):
            return not isinstance(value, bool)
        case ast.BinOp():
            return not isinstance(node.op, ast.BitAnd | ast.BitOr)
        case ast.UnaryOp():
            return not isinstance(node.op, ast.Not)
        case ast.Call(func=ast.Name(id=name)):
            return name not in ("any", "all")
    return False


def is_identifier(name: str) -> bool:
    """Tell whether a name can be that of a column."""
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name) is not None
