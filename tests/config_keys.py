"""Keys of a configuration by their paths, `methods.wnae.training.epochs`, and the words that its schema allows."""

from collections.abc import Iterator


def words(schema: object) -> Iterator[str]:
    """Give every word that the schema allows somewhere: one of them fits where another is taken out."""
    if isinstance(schema, dict):
        yield from [word for word in [*schema.get("enum", []), schema.get("const")] if isinstance(word, str)]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from words(part)


def leaves(section: object, path: str = "") -> Iterator[str]:
    if isinstance(section, list) and section and isinstance(section[0], dict):
        section = {0: section[0]}
    if isinstance(section, dict):
        for key, value in section.items():
            yield from leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path


def put(config: dict, path: str, value: object) -> None:
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        config = config[part]
    config[last] = value


def get(config: object, path: str) -> object:
    for part in path.split("."):
        config = config[int(part) if part.isdigit() else part]
    return config
