"""The files that a configuration names, found and checked before the first job."""

from __future__ import annotations

from pathlib import Path

from oddjet.config import Config
from oddjet.errors import ConfigError, SourceError
from oddjet.gone import find_listed
from oddjet.samples import Listed
from oddjet.sources import Found, refuse_shared


def listed_files(config: Config, results: Path = Path("results")) -> dict[str, Found]:
    """Find the files of every sample that lies in files.

    Parameters
    ----------
    config
        The configuration.
    results
        The results folder, whose tables stand for files that are gone.

    Returns
    -------
    dict of Found
        By sample.

    Raises
    ------
    SourceError
        A source names no file, or one that another source or sample has too.
        A file is gone and its table was made with other settings.
    ConfigError
        There is no manifest of checksums where one is named.
    """
    found = {}
    for name, sample in config.samples.items():
        if isinstance(sample, Listed):
            try:
                found[name] = find_listed(sample, results / "tables" / name, config.features)
            except SourceError as error:
                raise type(error)(f"samples.{name}.{error}") from None
    # Samples of one analysis are read together: a jet of one must not be a jet of another.
    for analysis in config.all_analyses().values():
        names = [name for name in (*analysis.background, *analysis.signals) if name in found]
        refuse_shared({f"samples.{name}": list(found[name].parts.values()) for name in names})
    manifest = config.features.checksums
    if manifest is not None and not Path(manifest).is_file():
        raise ConfigError(
            f"features.checksums: {manifest}: no such file. Make it with sha256sum, or leave the key out."
        )
    return found
