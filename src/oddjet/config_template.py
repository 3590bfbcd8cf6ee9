"""A configuration to start from, and what its keys mean, from the schema of all settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oddjet.config import Config
from oddjet.errors import ConfigError
from oddjet.io.atomic import write_text
from oddjet.messages import not_among

TEMPLATE = Path(__file__).with_suffix(".yaml")


def write_template(path: Path) -> None:
    """Write a configuration that runs; raise `ConfigError` where a file is already."""
    if path.exists():
        raise ConfigError(f"{path}: is there already; give another name, or remove it first")
    write_text(path, TEMPLATE.read_text(encoding="utf-8"))


def describe_key(key: str, values: Mapping[str, Any] | None = None) -> str:
    """Say what a key means.

    Parameters
    ----------
    key : str
        Dotted, `features.pt_min`; a name that the user chooses stands as it is, `methods.wnae.training.epochs`.
    values : mapping, optional
        A configuration with all its values, of which the key's is told.

    Returns
    -------
    str
        Description, default, what lies below it, and the value.

    Raises
    ------
    ConfigError
        There is no such key; the message names those that there are.
    """
    schema = Config.model_json_schema()
    steps = [step for step in key.split(".") if step]
    places = [_resolved(schema, schema)]
    for index, step in enumerate(steps):
        below = _below(schema, places, step)
        if not below:
            above, known = ".".join(steps[:index]), sorted({name for place in places for name in _keys(schema, place)})
            raise ConfigError(f"{above + ': ' if above else ''}{not_among(step, known)}")
        places = below
    lines = [key]
    lines += dict.fromkeys(f"  {place['description']}" for place in places if place.get("description"))
    lines += dict.fromkeys(f"  default: {json.dumps(place['default'])}" for place in places if "default" in place)
    names = dict.fromkeys(name for place in places for name in _keys(schema, place))
    lines += [f"  keys: {', '.join(names)}"] if names else []
    if values is not None:
        lines.append(f"  value: {json.dumps(_value(values, steps))}")
    return "\n".join(lines)


def _resolved(schema: Mapping[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    """Follow a reference; what stands beside it counts more."""
    if "$ref" not in place:
        return dict(place)
    target = schema["$defs"][place["$ref"].rsplit("/", 1)[1]]
    return {**_resolved(schema, target), **{name: value for name, value in place.items() if name != "$ref"}}


def _branches(schema: Mapping[str, Any], place: Mapping[str, Any]) -> list[dict[str, Any]]:
    options = [*place.get("anyOf", []), *place.get("oneOf", []), *place.get("allOf", [])]
    own = [_resolved(schema, place)]
    return own + [branch for option in options for branch in _branches(schema, _resolved(schema, option))]


def _keys(schema: Mapping[str, Any], place: Mapping[str, Any]) -> list[str]:
    return [name for branch in _branches(schema, place) for name in branch.get("properties", {})]


def _below(schema: Mapping[str, Any], places: list[dict[str, Any]], step: str) -> list[dict[str, Any]]:
    found = []
    for place in places:
        for branch in _branches(schema, place):
            if step in branch.get("properties", {}):
                found.append(_resolved(schema, branch["properties"][step]))
            elif isinstance(branch.get("additionalProperties"), dict):
                found.append(_resolved(schema, branch["additionalProperties"]))
    return found


def _value(values: Any, steps: list[str]) -> Any:  # noqa: ANN401  whatever the configuration holds
    for step in steps:
        values = values.get(step) if isinstance(values, Mapping) else None
    return values
