"""What the report shows of a configuration: its analyses, and the tables of each that it reads."""

from __future__ import annotations

from pydantic import Field, RootModel

from oddjet.axes import HeatmapSettings
from oddjet.settings import Settings

# Of an analysis, in its folder.
TABLES = ("leaderboard.csv", "grid_means.csv", "merit.csv", "ceilings.csv", "cutflow.json", "bad_files.json")


class Shown(Settings):
    """What the configuration says of an analysis that is shown and stands in none of its tables.

    Attributes
    ----------
    background
        The samples that its models are trained on.
    trained
        Its methods that are trained by epochs.
    titles
        Title of each method.
    heatmap
        The axes of its figures.
    """

    background: tuple[str, ...]
    trained: tuple[str, ...] = ()
    titles: dict[str, str] = Field({})
    heatmap: HeatmapSettings = Field(default_factory=HeatmapSettings)


class AllShown(RootModel[dict[str, Shown]]):
    """The same by analysis."""
