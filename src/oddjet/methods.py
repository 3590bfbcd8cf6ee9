"""The methods of a configuration: networks, baselines and means, and which of them is which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, Discriminator, Tag

from oddjet.detectors.autoencoder.settings import OBJECTIVES, MethodSettings
from oddjet.detectors.baseline_settings import KINDS, BaselineSettings
from oddjet.evaluation.settings import ScoreEnsembleSettings
from oddjet.names import not_among

METHOD_KINDS = (*OBJECTIVES, *KINDS, "ensemble")


def _known_kind(given: object) -> object:
    """Refuse an unknown kind by all kinds: the union below would name those of one branch alone."""
    if not isinstance(given, dict):
        if isinstance(given, BaseModel):
            return given
        raise ValueError("a method has keys of its own, at least its kind, as in {kind: wnae}")
    if "kind" not in given:
        raise ValueError(f"kind is missing; it is one of {', '.join(METHOD_KINDS)}")
    if given["kind"] not in METHOD_KINDS:
        raise ValueError(f"kind: {not_among(given['kind'], METHOD_KINDS)}")
    return given


def _method_tag(given: object) -> str:
    if isinstance(given, BaselineSettings):
        return "baseline"
    if isinstance(given, ScoreEnsembleSettings):
        return "ensemble"
    kind = given.get("kind") if isinstance(given, dict) else None
    if kind == "ensemble":
        return "ensemble"
    return "baseline" if kind in KINDS else "trained"


Method = Annotated[
    Annotated[MethodSettings, Tag("trained")]
    | Annotated[BaselineSettings, Tag("baseline")]
    | Annotated[ScoreEnsembleSettings, Tag("ensemble")],
    Discriminator(_method_tag),
    BeforeValidator(_known_kind),
]
Methods: TypeAlias = Mapping[str, MethodSettings | BaselineSettings | ScoreEnsembleSettings]


def trained(methods: Methods) -> list[str]:
    """Return the names of the methods that are trained by epochs; baselines are fitted at once."""
    return [name for name, method in methods.items() if isinstance(method, MethodSettings)]


def baselines(methods: Methods) -> list[str]:
    """Return the names of the baselines."""
    return [name for name, method in methods.items() if isinstance(method, BaselineSettings)]


def ensembles(methods: Methods) -> dict[str, tuple[str, ...]]:
    """Return the members of each ensemble by its name; it has scores, and no model of its own."""
    return {name: method.of for name, method in methods.items() if isinstance(method, ScoreEnsembleSettings)}


def with_models(methods: Methods) -> list[str]:
    """Return the names of the methods that are trained or fitted."""
    return [name for name in methods if name not in ensembles(methods)]


def approximate(methods: Methods) -> list[str]:
    """Return the names of the methods whose loss is approximate transport (Sinkhorn's), alone or in an ensemble."""
    single = {
        name
        for name, method in methods.items()
        if isinstance(method, MethodSettings) and method.loss is not None and method.loss.transport != "exact"
    }
    members = ensembles(methods)
    return [name for name in methods if name in single or single & set(members.get(name, ()))]
