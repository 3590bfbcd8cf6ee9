"""Write a page as one HTML file that holds everything it shows: style, script and pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from jinja2 import Environment, StrictUndefined

from oddjet.errors import FigureError
from oddjet.report.looks import SCRIPT, STYLE, TEMPLATE

# Width over height from which on a picture is scrolled on a phone.
BROAD = 1.5


@dataclass(frozen=True)
class Cell:
    """What a table shows in one place, and the number by which its column is sorted (None: its text).

    `link` is the anchor of the section that it leads to.
    """

    text: str
    value: float | None = None
    link: str = ""


@dataclass(frozen=True)
class Text:
    """Paragraphs; `kind` is "plain", "note" (smaller) or "lead" (larger)."""

    paragraphs: Sequence[str]
    kind: str = "plain"

    @property
    def name(self) -> str:
        """How the template knows it."""
        return "text"


@dataclass(frozen=True)
class Table:
    """A table whose columns can be sorted; its first column names the rows."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    folded: bool = False

    @property
    def name(self) -> str:
        """How the template knows it."""
        return "table"


@dataclass(frozen=True)
class Picture:
    """A PNG file, the words below it, and those in its place for who does not see it."""

    path: Path
    caption: str
    alternative: str
    wide: bool = False

    @property
    def source(self) -> str:
        """The picture itself as an address; raises `FigureError` where it cannot be read."""
        return "data:image/png;base64," + base64.b64encode(self._content()).decode("ascii")

    @property
    def broad(self) -> bool:
        """Whether it is so much broader than high that its words are too small in the width of a phone."""
        width, height = (int.from_bytes(self._content()[place : place + 4], "big") for place in (16, 20))
        return self.wide or width > BROAD * height

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise FigureError(f"{self.path}: not a readable picture ({error}); draw it again") from error


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side where there is room."""

    pictures: Sequence[Picture]

    @property
    def name(self) -> str:
        """How the template knows it."""
        return "gallery"


@dataclass(frozen=True)
class Code:
    """Text as it stands, folded away under a summary."""

    summary: str
    text: str

    @property
    def name(self) -> str:
        """How the template knows it."""
        return "code"


Block: TypeAlias = Text | Table | Gallery | Code


@dataclass(frozen=True)
class Section:
    """A heading, the name that a link to it uses, and what stands below it: blocks, then sections of one level less."""

    anchor: str
    title: str
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = ()


@dataclass(frozen=True)
class Page:
    """A title, a line below it, and sections."""

    title: str
    subtitle: str
    sections: Sequence[Section]


def write_page(page: Page) -> str:
    """Return the HTML of a page; it asks for nothing from outside, and everything from tables is escaped.

    Raises
    ------
    FigureError
        A picture cannot be read.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    return environment.from_string(TEMPLATE).render(page=page, style=STYLE, script=SCRIPT) + "\n"
