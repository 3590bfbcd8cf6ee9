"""Settings of the selection: cuts of all samples and of one, and the columns that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from oddjet.selection.expressions import is_identifier, parse_column, parse_cut
from oddjet.settings import Settings

# A sample says with it that it has no cut where all others have one.
NO_CUT = "none"


def _cut(text: str) -> str:
    if text != NO_CUT:
        parse_cut(text)
    return text


def _of_names(given: object) -> object:
    """Turn a branch, or a list of branches and of mappings from a name to an expression, into one mapping."""
    if isinstance(given, str):
        return {given: given}
    if not isinstance(given, list | tuple):
        return given
    kept: dict[object, object] = {}
    for entry in given:
        for name, text in entry.items() if isinstance(entry, Mapping) else [(entry, entry)]:
            if name in kept:
                raise ValueError(f"{name!r} is named more than once")
            kept[name] = text
    return kept


def _columns(kept: dict[str, str]) -> dict[str, str]:
    for name, text in kept.items():
        try:
            parse_column(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if not is_identifier(name):
            raise ValueError(f"{name!r} is no name of a column; give it one, as in {{met: {name}}}")
    return kept


Cut = Annotated[str, AfterValidator(_cut)]
Kept = Annotated[dict[str, str], BeforeValidator(_of_names), AfterValidator(_columns)]


class SelectionSettings(Settings):
    """Cuts on events and jets beside the window of pT and eta, of all samples (docs/selection.md)."""

    events: Cut | None = Field(default=None, description="Cut on events: an expression over branches of the file.")
    jets: Cut | None = Field(
        default=None, description="Cut on jets: an expression over features, columns of the jet and branches."
    )
    missing_triggers: Literal["fail", "not_fired"] = Field(
        default="fail",
        description="What a trigger (HLT_, L1_, DST_) that a file lacks does: end the job, or count as not fired.",
    )


class OwnCuts(Settings):
    """Cuts in the place of those of `features.selection`; `none` for no cut."""

    events: Cut | None = Field(default=None, description="cut on events; left out: that of features.selection")
    jets: Cut | None = Field(default=None, description="cut on jets; left out: that of features.selection")


class SampleSelection(Settings):
    """What the selection of one sample has of its own.

    Attributes
    ----------
    where : str or None
        Cut on its events beside those of all samples, such as a generator cut.
    cuts : OwnCuts
    golden_json : str or None
        Path of its certified luminosity blocks.
    """

    where: Cut | None = None
    cuts: OwnCuts = OwnCuts()
    golden_json: str | None = None

    def event_cuts(self, common: SelectionSettings) -> list[str]:
        """Return the cuts on events of this sample, those of all samples first."""
        return [text for text in (self.cuts.events or common.events, self.where) if text not in (None, NO_CUT)]

    def jet_cuts(self, common: SelectionSettings) -> list[str]:
        """Return the cuts on jets of this sample."""
        return [text for text in (self.cuts.jets or common.jets,) if text not in (None, NO_CUT)]
