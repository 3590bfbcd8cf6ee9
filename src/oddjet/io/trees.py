"""The trees of an open ROOT file, and which layout one fits by its branches."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import awkward as ak
import uproot

from oddjet.errors import ConfigError, InputFileError, UnreadableFileError
from oddjet.io.columns import stored_name
from oddjet.io.failures import failure_of, one_line
from oddjet.io.layouts import Layout

# Names of trees, folders and branches that a refusal lists, and letters of each.
LISTED_NAMES = 20
LISTED_LETTERS = 80

Tree: TypeAlias = uproot.TTree | uproot.behaviors.RNTuple.RNTuple


def contents(file: uproot.ReadOnlyDirectory, path: str) -> set[str]:
    """Name what lies in a file or in one of its folders; `UnreadableFileError` where that is damaged."""
    try:
        return {name.split(";")[0] for name in file.keys(recursive=False)}
    except Exception as error:
        raise failure_of(path, error, "the list of its contents is damaged", UnreadableFileError) from error


def _branches(tree: Tree, layouts: Collection[Layout]) -> dict[str, str]:
    """Give the names of a tree's branches and their titles."""
    if isinstance(tree, uproot.TTree):
        return {name.split("/")[-1]: branch.title for name, branch in tree.items()}
    # `keys` of an RNTuple takes a time that grows with the square of its fields (10 s for CMS's 1800), so only the
    # fields at the top are listed, and those of the collections that a layout knows.
    known = {name.split("_")[0] for layout in layouts for name in layout.known()}
    found = {field.name: field.description for field in tree.fields}
    for field in tree.fields:
        if field.name in known:
            found |= {f"{field.name}.{inner.name}": inner.description for inner in _inner_fields(field)}
    return found


def fields_of(tree: Tree, names: Sequence[str]) -> dict[str, str]:
    """Give the fields of those collections of an RNTuple that `names` are of, with their titles; none of a TTree."""
    if isinstance(tree, uproot.TTree):
        return {}
    wanted = {name.split(separator)[0] for name in names for separator in "_." if separator in name}
    return {
        f"{field.name}.{inner.name}": inner.description
        for field in tree.fields
        if field.name in wanted
        for inner in _inner_fields(field)
    }


def _inner_fields(field: uproot.behaviors.RNTuple.HasFields) -> list[uproot.behaviors.RNTuple.HasFields]:
    return list(field.fields)


def iterate(tree: Tree, names: list[str], step: int, start: int) -> Iterator[ak.Array]:
    """Read branches in steps of entries from `start` on."""
    if isinstance(tree, uproot.TTree):
        yield from tree.iterate(names, step_size=step, entry_start=start, library="ak")
        return
    # Field by field: asked for several at once, uproot lists all fields of the tree for each step (see `_branches`).
    for first in range(start, tree.num_entries, step):
        stop = min(first + step, tree.num_entries)
        yield ak.Array({name: tree[name].array(entry_start=first, entry_stop=stop) for name in names})


def check_readable(path: str, tree: Tree, names: list[str]) -> None:
    """Refuse branches that uproot cannot interpret before one of them is called damaged."""
    if not isinstance(tree, uproot.TTree):
        return
    for name in names:
        try:
            kind = tree[name].interpretation
            unknown = isinstance(kind, uproot.interpretation.identify.UnknownInterpretation)
            fault = " ".join(str(kind).split()) if unknown else ""
        except Exception as error:  # noqa: BLE001  uproot's own faults too
            fault = one_line(error)
        if fault:
            raise UnreadableFileError(
                f"{path}: uproot {uproot.__version__} cannot read the branch {name} ({fault}); the file may be whole. "
                "Write the branch as plain float, or update uproot"
            )


def detect(file: uproot.ReadOnlyDirectory, path: str, layouts: Sequence[Layout]) -> tuple[Layout, Tree, dict[str, str]]:
    """Tell the layout of an open file by its branches.

    Parameters
    ----------
    file : uproot.ReadOnlyDirectory
    path : str
        For messages.
    layouts : sequence of Layout
        Those to try.

    Returns
    -------
    Layout, Tree, and dict of str to str
        The one that fits, its tree, and the titles of the tree's branches.

    Raises
    ------
    UnreadableFileError
        None fits; the message names what each lacks, or the trees that there are.
    ConfigError
        Several fit.
    """
    trees: dict[str, tuple[Tree, dict[str, str]]] = {}
    reasons = []
    fitting: list[Layout] = []
    for candidate in layouts:
        if not is_there(file, path, candidate.tree):
            continue
        if candidate.tree not in trees:
            trees[candidate.tree] = _read_tree(file, path, candidate.tree, layouts)
        branches = trees[candidate.tree][1]
        missing = [name for name in candidate.required() if stored_name(name, branches) is None]
        if not missing:
            fitting.append(candidate)
            continue
        lacks = [nearest(name, branches) if candidate.declared else name for name in missing]
        reasons.append(f"{candidate.name} lacks {', '.join(lacks)}")
    if len(fitting) > 1:
        several = " and ".join(one.name for one in fitting)
        raise ConfigError(
            f"{path}: fits the layouts {several}, which have other candidates. Choose one with features.layout"
        )
    if fitting:
        return fitting[0], *trees[fitting[0].tree]
    ways = "; ".join(f"{candidate.name}: {candidate.versions}" for candidate in layouts)
    if reasons:
        there = "; ".join(f"{name} has {_listed(list(branches))}" for name, (_, branches) in trees.items())
        raise UnreadableFileError(
            f"{path}: no layout fits: {'; '.join(reasons)} ({there}). Files that have these branches are {ways}. A "
            "format of your own is declared under features.layouts (docs/formats.md)"
        )
    raise _no_tree(file, path, list(layouts), ways)


def nearest(name: str, branches: Collection[str]) -> str:
    """Give a name, and the branch that is most like it, if one is."""
    meant = difflib.get_close_matches(name, branches, n=1, cutoff=0.75)
    return f"{name} (did you mean {meant[0]}?)" if meant else name


def is_there(file: uproot.ReadOnlyDirectory, path: str, tree: str) -> bool:
    """Tell whether a file has a tree, perhaps in a folder; raises `UnreadableFileError` where that is damaged."""
    top = contents(file, path)
    if "/" not in tree:
        return tree in top
    folder, name = tree.rsplit("/", 1)
    if folder.split("/")[0] not in top:
        return False
    try:
        inside = file.get(folder)
        return isinstance(inside, uproot.ReadOnlyDirectory) and name in contents(inside, path)
    except uproot.KeyInFileError:
        return False
    except Exception as error:
        raise failure_of(path, error, f"the folder {folder} is damaged", UnreadableFileError) from error


def _read_tree(
    file: uproot.ReadOnlyDirectory, path: str, name: str, layouts: Collection[Layout]
) -> tuple[Tree, dict[str, str]]:
    try:
        tree = file[name]
        branches = (
            _branches(tree, layouts) if isinstance(tree, uproot.TTree | uproot.behaviors.RNTuple.RNTuple) else None
        )
    except Exception as error:  # as many kinds as in `_open_file`
        raise failure_of(path, error, f"tree {name} is damaged", UnreadableFileError) from error
    if branches is None:
        raise UnreadableFileError(
            f"{path}: {name} is a {tree.classname}, not a TTree or RNTuple of events; give files of events"
        )
    return tree, branches


def _listed(names: list[str]) -> str:
    """List the first names, each on the same line and no longer than a line, and how many more there are."""
    shown = ", ".join(" ".join(name.split())[:LISTED_LETTERS] for name in names[:LISTED_NAMES])
    return (shown or "nothing") + f" and {len(names) - LISTED_NAMES} more" * (len(names) > LISTED_NAMES)


def _no_tree(file: uproot.ReadOnlyDirectory, path: str, tried: list[Layout], ways: str) -> InputFileError:
    """Say which trees and folders a file has instead of those of the layouts."""
    try:
        kinds = {name.split(";")[0]: kind for name, kind in file.classnames(recursive=True).items()}
    except Exception as error:  # noqa: BLE001  as many kinds as in `_open_file`
        return UnreadableFileError(f"{path}: the list of its contents is damaged ({one_line(error)})")
    shown = [f"{name} ({'folder' if kind == 'TDirectory' else kind})" for name, kind in kinds.items()]
    wanted = sorted({candidate.tree for candidate in tried})
    inside = next((name for name in kinds if "/" in name and name.rsplit("/", 1)[1] in wanted), None)
    hint = (
        f"{inside} lies in a folder, and trees are looked for at the top of the file alone: name the "
        "folder in a layout of your own (features.layouts), or copy the tree, for example with rootcp. "
        if inside
        else ""
    )
    return UnreadableFileError(
        f"{path}: no tree {', '.join(wanted)} for the layouts {', '.join(one.name for one in tried)} "
        f"(the file has: {_listed(shown)}). {hint}What is read: {ways}"
    )


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the record of a file of ours; uproot's errors go through, of which each damage raises another kind."""
    with uproot.open(path) as file:
        return dict(json.loads(file["metadata"]))
