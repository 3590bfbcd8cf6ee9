"""The files that a configuration names, found and checked before the first job.

Files may be gone since their tables were made: purged from scratch, or on a disk that is not mounted. The tables stand
for them, as long as they are what the configuration asks for: nothing could make them anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from oddjet.addresses import is_remote
from oddjet.config import Config, load_config
from oddjet.configfile import read_configuration
from oddjet.errors import ConfigError, JetError, SelectionError, SourceError, TableError
from oddjet.jets.settings import FEATURES, FeatureSettings
from oddjet.samples import KindOfFiles, Listed, Simulated
from oddjet.selection.expressions import no_branch
from oddjet.selection.golden import read_golden
from oddjet.selection.settings import SampleSelection
from oddjet.simulation.settings import BRANCHES
from oddjet.sources import Found, find_files, part_name, refuse_shared


def find_listed(sample: Listed, folder: Path, settings: FeatureSettings) -> Found:
    """Resolve the sources of a sample; a file that is gone counts as long as its table is there.

    Parameters
    ----------
    sample
        A sample that lies in files.
    folder
        Its feature tables, `results/tables/SAMPLE`.
    settings
        Those of the features.

    Returns
    -------
    Found
        Each file that is gone is told, in `left_out`.

    Raises
    ------
    SourceError
        As `find_files`.
        The table of a file that is gone was made with other settings: Snakemake, which cannot make it anew, would go on
        with it.
    """
    tables = sorted(folder.glob("*.h5"))
    try:
        found = find_files(sample.files)
    except SourceError:
        gone = _files_that_are_gone(tables)
        if not gone:
            raise
    else:
        # Tables are opened only where there are some that no file asks for.
        gone = _files_that_are_gone(table for table in tables if table.stem not in found.parts)
        if not gone:
            return found
    found = find_files(sample.files, gone=gone)
    told = _kept(found, gone, sample, folder, settings)
    return replace(found, left_out=[*found.left_out, *told], gone=frozenset(gone))


def _files_that_are_gone(tables: Iterable[Path]) -> list[str]:
    try:
        from oddjet.io.tables import read_attributes
    except ImportError:  # Snakemake in an environment of its own
        return []
    gone = []
    for table in tables:
        try:
            files = dict(json.loads(read_attributes(table)["inputs"]))
        except (TableError, KeyError, TypeError, ValueError):
            continue
        # The name of a table is made of its file's path: a table under another name is not that file's.
        gone += [file for file in files if part_name(file) == table.stem and not Path(file).exists()]
    return gone


def _kept(found: Found, gone: list[str], sample: Listed, folder: Path, settings: FeatureSettings) -> list[str]:
    from oddjet.io.tables import read_attributes

    told = []
    for part, file in found.parts.items():
        if file not in gone:
            continue
        table = folder / f"{part}.h5"
        made = read_attributes(table)
        try:
            same = FeatureSettings.model_validate_json(made.get("settings", "")) == sample.own_features(settings)
            weight = float(made.get("sample_weight", "nan"))
            own = SampleSelection.model_validate_json(made.get("selection", "{}"))
        except ValueError:  # pydantic's, too
            same, weight, own = False, math.nan, None
        differing = [] if same else ["features"]
        differing += [] if made.get("require_match") == sample.require_match else ["require_match"]
        differing += [] if weight == sample.weight else ["weight"]
        differing += [] if own == sample.own_selection() else ["selection"]
        if differing:
            raise SourceError(
                f"files: {file} is gone, and {table} was made from it with other {', '.join(differing)}. Bring the "
                "file back, or set these as they were."
            )
        told.append(f"{file}: gone; its table {table} is kept (remove it to leave the file out)")
    return told


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
    SelectionError
        A golden JSON cannot be used, or a cut or a kept column names a branch that no simulated file has.
    """
    check_simulated(config)
    found = {}
    for name, sample in config.samples.items():
        if isinstance(sample, Listed):
            try:
                found[name] = find_listed(sample, results / "tables" / name, config.features)
            except SourceError as error:
                raise type(error)(f"samples.{name}.{error}") from None
            if sample.golden_json is not None:
                try:
                    read_golden(Path(sample.golden_json))
                except SelectionError as error:
                    raise SelectionError(f"samples.{name}.golden_json: {error}") from None
    # Samples of one analysis are read together: a jet of one must not be a jet of another.
    for analysis in config.all_analyses().values():
        names = [name for name in analysis.samples if name in found]
        refuse_shared({f"samples.{name}": list(found[name].parts.values()) for name in names})
    _check_payloads(config)
    manifest = config.features.checksums
    if manifest is not None and not Path(manifest).is_file():
        raise ConfigError(
            f"features.checksums: {manifest}: no such file. Make it with sha256sum, or leave the key out."
        )
    return found


def check_simulated(config: Config) -> None:
    """Raise `SelectionError` where a cut or a kept column names a branch that the files of a simulated sample lack."""
    of_images = config.images.jets.features(config.features)
    every = [(f"samples.{name}", sample, config.features) for name, sample in config.all_samples().items()]
    every += [(f"images.samples.{name}", sample, of_images) for name, sample in config.images.samples.items()]
    for where, sample, features in every:
        if not isinstance(sample, Simulated):
            continue
        for branch, place in features.named_branches(sample.own_selection()).items():
            if branch not in BRANCHES and not features.may_be_missing(branch):
                raise SelectionError(
                    f"{where}: {no_branch(branch, place, (*BRANCHES, *FEATURES))} (simulated files have "
                    f"{', '.join(BRANCHES[:8])}, PFCands_* and GenPart_*); cuts of a sample alone stand in its keys "
                    "where and selection"
                )


def _check_payloads(config: Config) -> None:
    places = {"features.corrections": config.features.corrections}
    places |= {
        f"{section}.{name}.corrections": one.corrections
        for section, samples in (("samples", config.samples), ("images.samples", config.images.samples))
        for name, one in samples.items()
        if one.corrections
    }
    for place, corrections in places.items():
        for key, payload in corrections.payloads():
            if not Path(payload.file).is_file():
                raise ConfigError(
                    f"{place}.{key}.file: {payload.file}: no such file. No payload comes with oddjet: give the path of "
                    "one."
                )


def check_configuration(configfiles: Sequence[Path]) -> list[str]:
    """Check a configuration and look for its files, as the workflow does before the first job.

    Parameters
    ----------
    configfiles
        As given to `snakemake --configfile`, in its order.

    Returns
    -------
    list of str
        Lines for the user: files that are left out, and what there is.

    Raises
    ------
    ConfigError, SourceError
        The configuration does not fit, or `listed_files` raises.
    SelectionError, JetError
        The cuts or the kept columns of a sample cannot be evaluated on the first events of its first file here.
    """
    config = load_config(read_configuration(configfiles))
    found = listed_files(config)
    for name, sample in found.items():
        _try_cuts(config, name, sample)
    lines = [f"samples.{name}.files: {line}" for name, sample in found.items() for line in sample.left_out]
    counts = {kind.replace("_", " "): len(config.of_kind(kind)) for kind in get_args(KindOfFiles)}
    kinds = ", ".join(f"{count} {word}" for word, count in counts.items() if count) + " samples"
    files = sum(len(sample.parts) for sample in found.values())
    return [*lines, *config.notes(), f"fits: {kinds}, {files} files, {len(config.methods)} methods"]


def _try_cuts(config: Config, name: str, found: Found) -> None:
    """Evaluate the cuts and the kept columns of a sample on the first events of its first file on this machine."""
    own = config.samples[name].own_selection()
    local = next((file for file in found.parts.values() if not is_remote(file) and Path(file).is_file()), None)
    if local is None or not config.features.named_branches(own):
        return
    # Awkward and uproot take a second to import: only cuts wait for them.
    from oddjet.jets.extract import try_selection

    try:
        try_selection(local, config.features, own)
    except (SelectionError, JetError) as error:
        raise type(error)(f"samples.{name}: {error}") from None
