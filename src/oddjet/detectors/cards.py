"""The card of a detector: what its file says of it beside its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from oddjet.dataset.scaling import Scaler
from oddjet.detectors.registry import DetectorSettings, kind_named
from oddjet.errors import DetectorError


@dataclass(frozen=True)
class Card:
    """What made a detector, and the scaler that it sees a table through.

    Attributes
    ----------
    method
        Name in the config.
    settings
        The method's settings; their `kind` says what it is.
    scaler
        From the physical columns of a table to what the detector sees.
    provenance
        See `oddjet.provenance.attributes`.
    selection
        Metric that chose the epochs, and its values by seed; empty where nothing was chosen.
    stopped
        Epoch at which the training of a seed (text) stopped, of those whose loss was no longer finite.
    jets
        Settings of the feature stage that the training jets were made with; empty where they were not told.
    """

    method: str
    settings: DetectorSettings
    scaler: Scaler
    provenance: Mapping[str, str] = field(default_factory=dict)
    selection: Mapping[str, Any] = field(default_factory=dict)
    stopped: Mapping[str, int] = field(default_factory=dict)
    jets: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Name of the kind."""
        return str(self.settings.kind)

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules that are imported by name where the detector is loaded; their code counts for what it scores."""
        return () if self.settings.by_epoch else (kind_named(self.kind).module,)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers: what a model file holds."""
        return {
            "method": self.method,
            "settings": self.settings.model_dump(mode="json"),
            "scaler": self.scaler.to_dict(),
            "features": list(self.scaler.names),
            "selection": dict(self.selection),
            "stopped": dict(self.stopped),
            "jets": dict(self.jets),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Card:
        """Rebuild a card from what `to_dict` returned; raise `DetectorError` or `DatasetError`."""
        try:
            settings = kind_named(content["settings"]["kind"]).settings.model_validate(content["settings"])
            parts = {name: dict(content.get(name) or {}) for name in ("provenance", "selection", "stopped", "jets")}
            return cls(str(content["method"]), settings, Scaler.from_dict(content["scaler"]), **parts)
        except (KeyError, TypeError, AttributeError, ValueError, ValidationError) as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise DetectorError(f"its card is damaged ({words}); make the detector again") from error
