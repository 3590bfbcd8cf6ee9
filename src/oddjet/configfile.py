"""Configuration files as their writers mean them: YAML read strictly, and merged as Snakemake merges several.

Snakemake's own reader keeps the last of two equal keys, takes the names `no` and `2018` for a truth value and a number,
and says neither which file nor which line is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from oddjet.addresses import expanded
from oddjet.errors import ConfigError
from oddjet.messages import repeated

# Keys at the top that hold nothing but anchors for others to use.
ANCHORS = "x-"
# What an editor or a web page puts in the place of a blank, and nobody sees.
UNSEEN = re.compile("[\u00a0\u2007\u202f\u200b\ufeff\u3000]")
# The key that names the file which a file is put on top of, and the sections that are then replaced as a whole.
EXTENDS = "extends"
REPLACED = {"methods", "analyses"}
# What a sample comes from: one that is given files is no longer simulated, and nothing of its process is left.
SOURCES = {"process", "files"}
# Sections in each other; ours need ten. What follows recurses, and Python 3.13 reads thousands from JSON.
DEEPEST = 100


def read_configuration(paths: Sequence[Path], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read configuration files and merge them.

    Parameters
    ----------
    paths
        YAML or JSON files. What a later one says counts; of a section that both have, the keys are merged. So
        it is with a file and the one that it `extends`, but that `methods` and `analyses` are replaced as a whole.
        A sample that is given `files` where it had a `process`, or the reverse, is replaced as a whole too.
    overrides
        What is said on the command line, merged last.

    Returns
    -------
    dict
        Keys are strings as they are written; keys at the top that start with `x-` are left out.

    Raises
    ------
    ConfigError
        Names the file and, where there is one, the line.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        _merge(merged, _extended(path, ()))
    _merge(merged, overrides or {})
    return {key: value for key, value in merged.items() if not str(key).startswith(ANCHORS)}


def _extended(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """Read a file and put it on top of the one that it extends, whose path is seen from its own folder."""
    given = read_file(path)
    _refuse_circles(path, given, (), set())
    base = given.pop(EXTENDS, None)
    if base is None:
        return given
    if not isinstance(base, str):
        raise ConfigError(f"{path}: extends: the path of one configuration file is wanted (given: {base!r})")
    chain = (*above, path.resolve())
    try:
        below = path.parent / expanded(base)
    except ValueError as error:
        raise ConfigError(f"{path}: extends: {error}") from None
    if below.resolve() in chain:
        raise ConfigError(f"{path}: extends: {base} extends this file itself. Take one of the two out.")
    if not below.exists():
        raise ConfigError(f"{path}: extends: {base}: no such file; the path is seen from this file's folder.")
    extended = _extended(below, chain)
    for key in REPLACED & set(given):
        extended.pop(key, None)
    _merge(extended, given)
    return extended


def read_file(path: Path) -> dict[str, Any]:
    """Read one configuration file; see `read_configuration`."""
    text = _read_text(path)
    try:
        given = _read_json(path, text) if text.lstrip().startswith("{") else None
        if given is None:
            given = yaml.load(text, _Loader)  # noqa: S506  a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{path}: {_describe(error, text)}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise ConfigError(f"{path}: line {line}: the sign #x{error.character:04x} cannot stand in YAML.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{path}: sections lie too deep in each other. Look for a bracket too many.") from None
    if not isinstance(given, dict):
        what = "holds nothing" if given is None else "does not start with keys"
        raise ConfigError(f"{path}: {what}. A configuration has keys at its top, at least `samples` and `methods`.")
    return given


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{path}: {reason}. Give the path of a configuration file.") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}: line {line}: byte 0x{raw[error.start]:02x} is not UTF-8. Save the file as UTF-8."
        ) from None


def _read_json(path: Path, text: str) -> Any:  # noqa: ANN401  whatever the file holds
    """Read JSON; None where it is none, for it may still be YAML."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice = repeated(pairs)
        if twice is not None:
            raise ConfigError(f"{path}: the key {twice!r} stands twice in one section. Merge the two.")
        return dict(pairs)

    try:
        given = json.loads(text, object_pairs_hook=unique)
    except ValueError:  # thousands of digits too
        return None
    level = [given]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    if level:
        raise RecursionError
    return given


def _describe(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    if "'\\t'" in problem:
        problem = "a tab stands where YAML has blanks. Replace it by blanks"
    elif "another document" in problem:
        problem = "a second document begins (---). A configuration is one; give several files"
    elif "determine a constructor" in problem:
        problem = f"{problem.rpartition(' ')[2]} is a tag (!), and none is read. Write the value itself"
    where = f"line {mark.line + 1}: " if mark is not None else ""
    unseen = UNSEEN.search(text)
    if unseen is not None:
        line = text[: unseen.start()].count("\n") + 1
        problem += f"; line {line} has a sign #x{ord(unseen[0]):04x} that looks like a blank or nothing: replace it"
    return f"{where}{problem}."


def _refuse_circles(path: Path, given: object, above: tuple[int, ...], checked: set[int]) -> None:
    """Refuse a section that an anchor puts into itself."""
    if not isinstance(given, Mapping | list) or id(given) in checked:
        return
    if id(given) in above:
        raise ConfigError(f"{path}: an anchor (&) stands for a section that holds it itself (*). Write it out.")
    for value in given.values() if isinstance(given, Mapping) else given:
        _refuse_circles(path, value, (*above, id(given)), checked)
    checked.add(id(given))


def _merge(target: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping):
            section = target.get(key)
            if not isinstance(section, Mapping) or _another_source(section, value):
                section = {}
            target[key] = dict(section)
            _merge(target[key], value)
        else:
            target[key] = value


def _another_source(section: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    """Return whether a sample comes from elsewhere now."""
    before, after = SOURCES & section.keys(), SOURCES & changes.keys()
    return bool(before and after and before != after)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """YAML with the plain words of version 1.2 (only true and false are truth values) and unique keys, all strings."""

    # Not those of the class above: `yes`, `1:30` and `2018-01-01` stay as they are written.
    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse keys that come twice, before merge keys (`<<`) are filled in, and keep keys as they are written."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a word or a number", problem_mark=key.start_mark)
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in lines:
                problem = f"the key {key.value!r} stands in line {lines[key.value]} too, and only one would count"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            lines[key.value] = key.start_mark.line + 1
            key.tag = "tag:yaml.org,2002:str"
        return dict(super().construct_mapping(node, deep))

    def number(self, node: yaml.ScalarNode) -> int:
        """Read an integer; a zero in front says nothing."""
        try:
            return int(node.value.replace("_", ""), 0 if node.value.lstrip("+-")[:2].lower() in ("0x", "0o") else 10)
        except ValueError:  # thousands of digits
            problem = f"{node.value[:20]}... is too long for a number"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


def _resolve_plain_words() -> None:
    for word, pattern, first in (
        ("merge", r"<<", "<"),
        ("null", r"~|null|Null|NULL|", "~nN\0"),
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
        (
            "float",
            r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
            "-+.0123456789",
        ),
    ):
        letters = [letter.replace("\0", "") for letter in first]
        _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{word}", re.compile(rf"^(?:{pattern})$"), letters)
    _Loader.add_constructor("tag:yaml.org,2002:int", _Loader.number)


_resolve_plain_words()
