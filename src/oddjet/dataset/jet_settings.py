"""The settings of the feature stage, passed on from the feature tables to the dataset and to the cards of detectors."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from oddjet.io.tables import damage_of, read_attributes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOGGER = logging.getLogger("oddjet")

# Attribute of the dataset's tables, JSON.
ATTRIBUTE = "jet_settings"


def shared_settings(files: Sequence[Path]) -> dict[str, str]:
    """Return the attribute of a dataset whose feature tables were all made with the same settings; empty otherwise."""
    found = {read_attributes(path).get("settings", "") for path in files}
    if len(found) > 1:
        LOGGER.warning("the feature tables were made with several settings, so no detector's card can hold them")
    return {ATTRIBUTE: found.pop()} if len(found) == 1 else {}


def passed_on(table: Path) -> dict[str, str]:
    """Return the attribute as a table has it, for a table made from this one."""
    return {name: text for name, text in read_attributes(table).items() if name == ATTRIBUTE}


def read_jet_settings(table: Path) -> dict[str, Any]:
    """Return the settings that a dataset's jets were made with, empty where the table does not say.

    Raises
    ------
    TableError
        The table cannot be read, or its attribute is damaged.
    """
    text = passed_on(table).get(ATTRIBUTE, "")
    with damage_of(table, ATTRIBUTE):
        return dict(json.loads(text or "{}"))
