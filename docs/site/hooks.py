"""What mkdocs does before it builds: make pages from code, and write links to files outside docs/ as their names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
OUTSIDE = re.compile(r"\[([^\]]*)\]\((?:\.\./)+((?!docs/)[\w./-]+)\)")
TO_DOCS = re.compile(r"\]\(\.\./docs/")
WORDS = {"array": "list", "object": "mapping", "boolean": "true or false", "number": "number", "integer": "integer"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the configuration and of the results folder."""
    schema = json.loads((ROOT / "config/config.schema.json").read_text(encoding="utf-8"))
    files.append(File.generated(config, "reference/configuration.md", content=configuration_page(schema)))
    text = (ROOT / "results/README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "reference/results.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the page with links to files of the repository as their names: the site holds docs/ alone."""
    del page, config, files
    return OUTSIDE.sub(
        lambda found: f"{found[1]} (`{found[2]}`)" if found[2] not in found[1] else found[1],
        TO_DOCS.sub("](../", markdown),
    )


def configuration_page(schema: dict[str, Any]) -> str:
    """Return one page with a table for each block of the configuration, from the schema that editors read."""
    lines = [
        "# Configuration",
        "",
        "Every key of a configuration file, from `config/config.schema.json`. `oddjet config show KEY` prints one.",
        "NAME stands for a name of your own.",
        "",
    ]
    paths = block_paths(schema)
    lines += table("Top level", schema, paths)
    for name, path in sorted(paths.items(), key=lambda item: order(item[1], schema)):
        lines += table(path, schema["$defs"][name], paths)
    return "\n".join(lines)


def order(path: str, schema: dict[str, Any]) -> tuple[int, str]:
    """Return where a block stands on the page: as the top level lists them, and by name within."""
    return [*schema["properties"]].index(re.split(r"[. ]", path)[0]), path


def block_paths(schema: dict[str, Any]) -> dict[str, str]:
    """Return the dotted key under which each block is first found, with its kind where the key takes several kinds."""
    paths: dict[str, str] = {}
    waiting = [(key, value) for key, value in schema["properties"].items()]
    while waiting:
        path, value = waiting.pop(0)
        if isinstance(value.get("additionalProperties"), dict):
            waiting.append((f"{path}.NAME", value["additionalProperties"]))
        waiting += [(path, one) for several in ("anyOf", "oneOf", "allOf") for one in value.get(several, ())]
        if isinstance(value.get("items"), dict):
            waiting.append((path, value["items"]))
        name = value.get("$ref", "").rsplit("/", 1)[-1]
        if name and name not in paths:
            block = schema["$defs"][name]
            paths[name] = path + told_apart(name, block, path in paths.values())
            waiting += [(path, {key: inner for key, inner in block.items() if key != "additionalProperties"})]
            waiting += [(f"{path}.{key}", inner) for key, inner in block.get("properties", {}).items()]
    return paths


def told_apart(name: str, block: dict[str, Any], taken: bool) -> str:
    """Return the words that tell blocks under one key apart: their kind or name where they have one."""
    for key in ("kind", "name"):
        value = block.get("properties", {}).get(key, {})
        values = [value["const"]] if "const" in value else value.get("enum", ())
        if values:
            return f" ({key}: {', '.join(values)})"
    return f" ({name})" if taken else ""


def anchor(heading: str) -> str:
    """Return the address of a heading on its page, as mkdocs makes it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def table(heading: str, block: dict[str, Any], paths: dict[str, str]) -> list[str]:
    """Return the Markdown lines of one block."""
    lines = [f"## {heading}", ""]
    if "properties" not in block:
        return [*lines, cell(f"{words(block, paths)}. {block.get('description', '')}"), ""]
    if block.get("description") and heading != "Top level":
        lines += [cell(block["description"]), ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, value in block["properties"].items():
        default = "" if key not in block.get("required", ()) else "required"
        if "default" in value:
            default = shown(value["default"])
        lines.append(f"| `{key}` | {cell(words(value, paths))} | {default} | {cell(value.get('description', ''))} |")
    return [*lines, ""]


def words(value: dict[str, Any], paths: dict[str, str]) -> str:
    """Return what a value may be, in words."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        path = paths[name]
        label = re.sub(r".* [(](?:kind: |name: )?(.*)[)]", r"\1", path)
        return f"[{label}](#{anchor(path)})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in value:
            return " or ".join(dict.fromkeys(words(one, paths) for one in value[several]))
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{one}`" for one in value["enum"])
    kind = value.get("type", "anything")
    if kind == "array":
        items = value.get("items") or {}
        return f"list of {words(items, paths)}" if items else "list"
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"mapping from names to {words(value['additionalProperties'], paths)}"
    limits = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    bounds = " and ".join(f"{sign} {value[key]:.6g}" for key, sign in limits.items() if key in value)
    return f"{WORDS.get(kind, kind)} {bounds}".strip()


def shown(default: object) -> str:
    """Return a default as YAML of one line; one of many keys is that of its own block."""
    text = json.dumps(default, ensure_ascii=False)
    return "see there" if len(text) > 60 else f"`{cell(text)}`"


def cell(text: str) -> str:
    """Return text that may stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")
