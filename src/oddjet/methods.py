"""The methods of a configuration: networks, baselines and means, and which of them is which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union

from pydantic import BaseModel, BeforeValidator, Discriminator, Tag

from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.baseline_settings import Baseline
from oddjet.detectors.mean import JoinedSettings
from oddjet.detectors.registry import DetectorSettings, kind_named, kinds
from oddjet.detectors.vae.settings import VaeMethod
from oddjet.messages import not_among

# Those that score jets, by the columns of a table or by their images.
METHOD_KINDS = tuple(name for name, kind in kinds().items() if kind.table in ("columns", "images"))


def _known_kind(given: object) -> object:
    """Refuse an unknown kind by all kinds: the union below would name those of one branch alone."""
    if not isinstance(given, dict):
        if isinstance(given, BaseModel):
            return given
        raise ValueError("a method has keys of its own, at least its kind, as in {kind: wnae}")
    if "kind" not in given:
        raise ValueError(f"kind is missing; it is one of {', '.join(METHOD_KINDS)}")
    if given["kind"] == "ensemble":
        raise ValueError("kind: the mean of the scores of other methods is now of kind 'mean'")
    if given["kind"] not in METHOD_KINDS:
        raise ValueError(f"kind: {not_among(given['kind'], METHOD_KINDS)}")
    return given


def _method_tag(given: object) -> str:
    return _tag(kind_named(given["kind"]).settings if isinstance(given, dict) else type(given))


def _tag(settings: type) -> str:
    return f"{settings.__module__}:{settings.__qualname__}"


def _any_method() -> Any:  # noqa: ANN401  a union that is known at run time
    """Return the settings of all kinds as one union."""
    branches = tuple(
        Annotated[one, Tag(_tag(one))] for one in dict.fromkeys(kind_named(kind).settings for kind in METHOD_KINDS)
    )
    return Annotated[Union.__getitem__(branches), Discriminator(_method_tag), BeforeValidator(_known_kind)]


# A method of any kind. Type checkers see no further than the text.
if TYPE_CHECKING:
    Method = DetectorSettings
else:
    Method = _any_method()
Methods: TypeAlias = Mapping[str, DetectorSettings]


def kind_modules(methods: Methods, names: Iterable[str]) -> list[str]:
    """Return the modules of the kinds of named methods: what programs that make them import by name."""
    return sorted({kind_named(methods[name].kind).module for name in names})


def loaded_modules(methods: Methods, names: Iterable[str]) -> list[str]:
    """Return what programs that load named methods import by name; autoencoders need no more than their weights."""
    return kind_modules(methods, [name for name in names if isinstance(methods[name], Baseline)])


def opened_modules(methods: Methods, name: str) -> list[str]:
    """Return what the program `score` imports by name to open a method."""
    return sorted({methods[name].opener, *loaded_modules(methods, ensembles(methods).get(name, (name,)))})


def trained(methods: Methods) -> list[str]:
    """Return the names of the methods that are trained by epochs; baselines are fitted at once."""
    return [name for name, method in methods.items() if isinstance(method, MethodSettings)]


def baselines(methods: Methods) -> list[str]:
    """Return the names of the baselines."""
    return [name for name, method in methods.items() if isinstance(method, Baseline)]


def ensembles(methods: Methods) -> dict[str, tuple[str, ...]]:
    """Return the members of each mean or minimum by its name; it has scores, and no model of its own."""
    return {name: method.of for name, method in methods.items() if isinstance(method, JoinedSettings)}


def of_images(methods: Methods) -> list[str]:
    """Return the names of the methods that score jets by their images."""
    return [name for name, method in methods.items() if kind_named(method.kind).table == "images"]


def of_columns(methods: Methods) -> list[str]:
    """Return the names of the methods that score jets by columns of a table; means are among them."""
    images = of_images(methods)
    return [name for name in methods if name not in images]


def vaes(methods: Methods) -> dict[str, VaeMethod]:
    """Return the methods that are VAEs of images, by name."""
    return {name: method for name, method in methods.items() if isinstance(method, VaeMethod)}


def with_models(methods: Methods) -> list[str]:
    """Return the names of the methods that are trained on, or fitted to, columns of a table."""
    return [name for name in of_columns(methods) if name not in ensembles(methods)]


def approximate(methods: Methods) -> list[str]:
    """Return the names of the methods whose loss is approximate transport (Sinkhorn's), alone or in a mean."""
    single = {
        name
        for name, method in methods.items()
        if isinstance(method, MethodSettings) and method.loss is not None and method.loss.transport != "exact"
    }
    members = ensembles(methods)
    return [name for name in methods if name in single or single & set(members.get(name, ()))]
