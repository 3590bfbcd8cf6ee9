"""Whether results still match the code, the configuration and their inputs, told from the digests inside them alone.

Snakemake knows it from its own notes in `.snakemake/`; a folder that was moved without them can be asked here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from oddjet.config import Config, Listed, Simulated
from oddjet.errors import OddjetError
from oddjet.images.vae_settings import VaeSettings
from oddjet.io.record import SUFFIX
from oddjet.io.tables import TableError, read_attributes
from oddjet.models.settings import OBJECTIVES
from oddjet.provenance.attributes import InputFileError, file_digest
from oddjet.provenance.digest import code_digest


class ResultsError(OddjetError):
    """A folder that holds no results."""


@dataclass
class Result:
    """A file (or several that were written together) and what it says that it was made from."""

    path: Path
    origin: dict[str, Any]
    reasons: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> dict[str, str]:
        """SHA-256 of each input by its name."""
        given = self.origin["inputs"]
        return dict(json.loads(given) if isinstance(given, str) else given)

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the stage."""
        return dict(json.loads(self.origin["settings"]))


def check_results(folder: Path, config: Config) -> list[Result]:
    """Compare every result below a folder with the code, the configuration and the inputs of today.

    Parameters
    ----------
    folder
        A results folder, wherever it lies; inputs that are named `results/...` are looked for in it.
    config
        The configuration that the results should be of.

    Returns
    -------
    All results; those that no longer match have `reasons`.

    Raises
    ------
    ResultsError
        The folder does not exist, or holds no result.
    """
    results = list(find_results(folder))
    if not results:
        raise ResultsError(f"{folder}: no results here. Give the folder that holds features/, models/, scores/.")
    for result in results:
        if result.origin:
            result.reasons += [
                *_code(result),
                *_settings(result, config, folder),
                *_outputs(result),
                *_inputs(result, folder),
            ]
    _pass_on(results, folder)
    return sorted(results, key=lambda result: result.path)


def find_results(folder: Path) -> Iterator[Result]:
    """Read the origin of everything below a folder; of a file without one, that is the reason."""
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".tmp-"):
            yield Result(path, {}, ["half-written: remove it"])
        elif path.suffix in READERS and "checkpoints" not in path.parts:
            try:
                yield Result(path, READERS[path.suffix](path))
            except (OddjetError, OSError, ValueError, KeyError, RuntimeError, EOFError) as error:
                yield Result(path, {}, [f"cannot be read ({str(error).splitlines()[0]})"])
        elif path.name.endswith(SUFFIX):
            yield Result(path.with_name(path.name.removesuffix(SUFFIX)), json.loads(path.read_text(encoding="utf-8")))


def _read_table(path: Path) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    try:
        attributes |= read_attributes(path)
    except TableError:
        from oddjet.events.layout import EventLayoutError, read_event_attributes

        try:
            attributes |= read_event_attributes(path)
        except EventLayoutError:
            attributes.clear()
        if not attributes:
            raise
    if "code_digest" not in attributes:
        raise TableError(f"{path}: no digest in its attributes")
    return attributes


def _read_root(path: Path) -> dict[str, Any]:
    import uproot

    with uproot.open(path) as file:
        return dict(json.loads(file["metadata"]))


def _read_model(path: Path) -> dict[str, Any]:
    import torch

    metadata = json.loads(torch.load(path, map_location="cpu", weights_only=True)["metadata"])
    # The networks on images are no methods of the config.
    return {**metadata["provenance"], **{key: metadata[key] for key in ("method",) if key in metadata}}


# Stages of one method of the configuration.
METHOD_SCRIPTS = (
    "train_model",
    "fit_baseline",
    "score_samples",
    "score_ensemble",
    "score_events",
    "score_grid_images",
    "score_grid_vae",
)
# Those of the methods of `images.methods`.
IMAGE_SCORES = ("score_grid_images", "score_grid_vae")
# Stages that are given some sections of their settings and see the others at their defaults.
READ_PARTS = {
    "make_grid_images": {"pixels", "width"},
    # Seeds and numbers of jets and epochs are those of a method or of a metric.
    "train_vae": set(VaeSettings.model_fields) - {"trainings", "seed", "test_jets", "correlation_jets", "cnn"},
    "mix_events": {"train", "validation", "test"},
    "score_event_distances": {"ground", "sets", "distances"},
    "score_event_neighbours": {"ground", "seed", "sets", "distances", "neighbours"},
    "score_event_svm": {"ground", "seed", "sets", "support_vectors"},
    "classify_events": {"ground", "seed", "classification"},
    "compare_event_scores": {"sets"},
    "measure_event_latency": {"ground", "seed", "distances", "neighbours", "support_vectors", "latency"},
}
READERS = {".h5": _read_table, ".root": _read_root, ".pt": _read_model}


def _code(result: Result) -> Iterator[str]:
    script = result.origin["script"]
    named = [OBJECTIVES[result.settings["kind"]]] if script == "train_model" else []
    if result.origin["code_digest"] != _digest(script, *named):
        yield f"the code of {script} has changed"


@cache
def _digest(script: str, *named: str) -> str:
    return code_digest(script, *named)


def _settings(result: Result, config: Config, folder: Path) -> Iterator[str]:
    """Compare with the configuration what the stage was given; the order and the spaces of the JSON do not count."""
    origin, script = result.origin, result.origin["script"]
    analysis = _analysis(result, folder)
    samples = _samples(config, analysis)
    sample = samples.get(origin.get("sample", ""))
    if "sample" in origin and sample is None:
        yield f"the configuration has no sample {origin['sample']}"
        return
    methods = _methods(config, analysis, script)
    if script in METHOD_SCRIPTS and methods is not None and origin.get("method") not in methods:
        yield f"the configuration has no method {origin['method']}"
        return
    section = _sections(config, analysis).get(script)
    if methods is not None and script in ("train_model", "fit_baseline", "score_ensemble", *IMAGE_SCORES):
        section = methods[origin["method"]]
    wanted = {"label": config.label} if section is None else json.loads(section.model_dump_json())
    read = READ_PARTS.get(script, result.settings)
    changed = [key for key, value in result.settings.items() if key in read and _differ(wanted.get(key, value), value)]
    # A stage of the images or the events may be given a part of a section.
    whole = analysis is None
    if changed or (section is not None and whole and set(wanted) != set(result.settings)):
        yield f"the settings of {script} have changed ({', '.join(changed) or 'other keys'})"
    if script == "simulate_sample" and sample is not None:
        yield from _simulated(origin, sample, config.seed)
    if script == "extract_features" and sample is not None:
        if origin["require_match"] != sample.require_match:
            yield "require_match has changed"
        if float(origin["sample_weight"]) != sample.weight:
            yield "the weight of the sample has changed"
    kinds: Mapping[str, Literal["background", "signal"]] = {
        "build_dataset": "background",
        **dict.fromkeys(("score_samples", *IMAGE_SCORES), "signal"),
    }
    weighted = json.loads(origin.get("cross_sections", "{}"))
    if script in kinds and analysis is None and weighted != config.cross_sections(kinds[script]):
        yield "a cross section has changed"


def _differ(wanted: object, given: object) -> bool:
    """Compare two settings; what only one of them has is a default that the other one leaves out."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        return any(_differ(wanted[key], given[key]) for key in set(wanted) & set(given))
    return wanted != given


def _analysis(result: Result, folder: Path) -> str | None:
    """Name the analysis beside the main one that a result is of, by its folder."""
    first = result.path.relative_to(folder).parts[0]
    return first if first in ("images", "events", "contamination", "reversed") else None


def _samples(config: Config, analysis: str | None) -> Mapping[str, Any]:
    if analysis == "images":
        return {**config.all_samples(), **config.images.samples}
    return config.events.samples() if analysis == "events" else config.all_samples()


def _methods(config: Config, analysis: str | None, script: str) -> Mapping[str, BaseModel] | None:
    """Give the methods that a result's one is among; None where it has settings of another kind."""
    if script in IMAGE_SCORES:
        return config.images.methods
    if analysis == "images":
        return None
    return config.events.methods if analysis == "events" else config.methods


def _sections(config: Config, analysis: str | None) -> Mapping[str, BaseModel]:
    """Give the part of the configuration that each stage reads."""
    images, events = config.images, config.events
    return {
        "simulate_sample": config.simulation,
        "extract_features": config.features,
        "check_cutflow": config.features,
        "build_dataset": config.dataset,
        "score_samples": config.evaluation if analysis is None else config.contamination,
        "monitor_training": config.evaluation,
        "compute_merit": config.merit,
        "contaminate_dataset": config.contamination,
        "make_images": images.jets,
        "make_grid_images": images.jets,
        "train_vae": images.vae,
        "compute_distances": images.distances,
        "measure_ensembles": images.distances,
        "find_medoids": images.medoids,
        "simulate_events": events.objects,
        "mix_events": events.sizes,
        "build_event_table": events.table,
        "score_event_distances": events.protocol,
        "score_event_neighbours": events.protocol,
        "score_event_svm": events.protocol,
        "classify_events": events.protocol,
        "compare_event_scores": events.protocol,
        "measure_event_latency": events.protocol,
    }


def _simulated(origin: Mapping[str, Any], sample: Simulated | Listed, seed: int) -> Iterator[str]:
    from oddjet.simulation.seeds import derive_seed

    if isinstance(sample, Listed):
        yield "the configuration lists files for this sample"
        return
    if origin["process"] != json.loads(sample.process.model_dump_json()):
        yield "the process has changed"
    if origin["events"] != sample.events_of(origin["part"]) or origin["part"] >= sample.parts:
        yield "the number of events or of parts has changed"
    if origin["seed"] != derive_seed(seed, origin["sample"], origin["part"]):
        yield "the seed has changed"


def _outputs(result: Result) -> Iterator[str]:
    for name, digest in result.origin.get("outputs", {}).items():
        path = result.path.with_name(name)
        if not path.is_file():
            yield f"{name} is missing"
        elif file_digest(path) != digest:
            yield f"{name} is not the file that was written"


@cache
def _file(path: Path) -> str | None:
    try:
        return file_digest(path)
    except InputFileError:
        return None


def _here(name: str, folder: Path) -> Path:
    return folder / Path(name).relative_to("results") if Path(name).parts[0] == "results" else Path(name)


def _inputs(result: Result, folder: Path) -> Iterator[str]:
    for name, digest in result.inputs.items():
        now = _file(_here(name, folder))
        if now is None:
            yield f"its input {name} is missing"
        elif now != digest:
            yield f"its input {name} has changed"


def _pass_on(results: list[Result], folder: Path) -> None:
    """Let what is made from a result that no longer matches not match either."""
    by_path = {result.path: result for result in results}
    spreading = True
    while spreading:
        spreading = False
        for result in results:
            for name in result.inputs if result.origin and not result.reasons else ():
                source = by_path.get(_here(name, folder))
                if source is not None and source.reasons:
                    result.reasons.append(f"its input {name} no longer matches")
                    spreading = True
                    break
