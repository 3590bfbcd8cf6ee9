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
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from oddjet.errors import DetectorError
from oddjet.messages import missing_package, not_among
from oddjet.program import read_settings
from oddjet.titles import Titled

# Entry points of other packages: the name is the kind's, the value its module.
GROUP = "oddjet.detectors"
# Our own: the name, the module with `build`, and the settings. Data and no code: a table in this module would be part
# of the code of every job, and a new line of it would make every detector again.
OWN = Path(__file__).with_name("kinds.json")


class DetectorSettings(Titled):
    """Base of the settings of all kinds.

    Attributes
    ----------
    kind
        Name of the kind.
    by_epoch
        Whether `snapshots.pt` holds parameters of several epochs; otherwise it is the same as `model.pt`.
    opener
        Module with the function `open_detector` of `oddjet.detectors.opening`.
    """

    by_epoch: ClassVar[bool] = False
    opener: ClassVar[str] = "oddjet.detectors.file"

    if TYPE_CHECKING:
        kind: Any


class TrainedSettings(DetectorSettings):
    """Base of the settings of what is trained on, or fitted to, background jets."""

    background: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None,
        description="samples among the background of an analysis whose jets train and validate the method, `qcd_*` for "
        "several; left out: all",
    )


def trained_on(settings: object) -> tuple[str, ...] | None:
    """Return the background samples that a method is trained on; None for all."""
    return settings.background if isinstance(settings, TrainedSettings) else None


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
    table
        What a detector of it sees: `columns` of a jet, its image (`images`), a whole event (`events`), or `files of
        images`.
    """

    name: str
    module: str
    settings_path: str
    table: str = "columns"

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
    found = {
        name: Kind(name, places["module"], places["settings"], places.get("table", "columns"))
        for name, places in own.items()
    }
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


def opening_modules(settings: DetectorSettings, rows: str = "jets") -> list[str]:
    """Return what the program `score` imports by name to open a detector: its opener, and what flattens events for it.

    A kind that sees whole events reads them itself.
    """
    columns = kind_named(settings.kind).table == "columns"
    return [settings.opener, *(["oddjet.events.rows"] if rows == "events" and columns else [])]


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
        why = missing_package(error) or f"{module} cannot be imported ({error}); install it, or what it needs"
        raise DetectorError(f"kind {kind}: {why}") from error
