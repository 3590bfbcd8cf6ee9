"""Kinds of detectors by name: those of this package, and those of other installed packages.

A kind is a module with its settings and a function `build`; what it builds depends on what its settings are derived
from (docs/extending.md). The workflow looks kinds up while it is parsed, so a module of settings imports nothing heavy:
what `build` needs is imported inside it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from oddjet.errors import DetectorError
from oddjet.names import not_among
from oddjet.program import read_settings
from oddjet.settings import Settings

# Entry points of other packages: the name is the kind's, the value its module.
GROUP = "oddjet.detectors"
# Our own: the name, the module with `build`, and the settings. Data and no code: a table in this module would be part
# of the code of every job, and a new line of it would make every detector again.
OWN = Path(__file__).with_name("kinds.json")


class DetectorSettings(Settings):
    """Base of the settings of all kinds.

    Attributes
    ----------
    kind
        Name of the kind.
    by_epoch
        Whether `snapshots.pt` holds parameters of several epochs; otherwise it is the same as `model.pt`.
    """

    by_epoch: ClassVar[bool] = False

    if TYPE_CHECKING:
        kind: Any


@dataclass(frozen=True)
class Kind:
    """A kind of detector.

    Attributes
    ----------
    name
        What `kind:` says in the config.
    module
        Module with the function `build`. A job imports that of its own kind alone, so that an edit of it, or a new
        kind, makes no other detector again.
    settings_path
        Module and class of the settings, `module:Class`.
    """

    name: str
    module: str
    settings_path: str

    @property
    def settings(self) -> type[DetectorSettings]:
        """Class of the settings; raises `DetectorError`."""
        module, _, name = self.settings_path.partition(":")
        found = getattr(_imported(self.name, module), name, None)
        if not (isinstance(found, type) and issubclass(found, DetectorSettings)):
            raise DetectorError(f"kind {self.name}: {module} has no settings class {name}; see docs/extending.md")
        return found

    @property
    def build(self) -> Callable[..., Any]:
        """Function that builds one; raises `DetectorError`."""
        found = getattr(_imported(self.name, self.module), "build", None)
        if not callable(found):
            raise DetectorError(f"kind {self.name}: {self.module} has no function build; see docs/extending.md")
        return found  # type: ignore[no-any-return]


@cache
def kinds() -> Mapping[str, Kind]:
    """Return all kinds by name; raise `DetectorError` if an installed package takes a name that is taken."""
    own = json.loads(OWN.read_text(encoding="utf-8"))
    found = {name: Kind(name, places["module"], places["settings"]) for name, places in own.items()}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        if entry.name in found:
            raise DetectorError(
                f"kind {entry.name}: {found[entry.name].module} and {entry.module} both have this name; "
                f"rename the entry point of the group {GROUP} in one of the packages"
            )
        found[entry.name] = Kind(entry.name, entry.module, f"{entry.module}:{entry.attr or 'Settings'}")
    return found


def kind_named(name: str) -> Kind:
    """Return a kind; raise `DetectorError` if there is none of that name."""
    if name not in kinds():
        raise DetectorError(f"kind: {not_among(name, list(kinds()))}")
    return kinds()[name]


def read_method(text: str | None) -> DetectorSettings:
    """Read the settings of a method of any kind, as `oddjet.program.read_settings` reads those of a stage."""
    return read_settings(text, kind_named(read_settings(text, _AnyKind).kind).settings)


class _AnyKind(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: str


def _imported(kind: str, module: str) -> Any:  # noqa: ANN401  any module
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DetectorError(
            f"kind {kind}: {module} cannot be imported ({error}); install it, or what it needs"
        ) from error
