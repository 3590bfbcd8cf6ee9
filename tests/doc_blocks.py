"""The code blocks of the documentation, and what a comment above one says of running it.

`<!-- not run: REASON -->` above a block says why no test runs it; `<!-- planned alone: REASON -->` says why a test only
asks Snakemake what it would do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(
    r"(?:^ *<!-- (?P<mark>not run|planned alone): (?P<reason>.+?) -->\n\n)?"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `mark` is empty for one that a test runs."""

    language: str
    code: str
    mark: str


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page of the repository, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            found["language"],
            re.sub(rf"^{found['indent']}", "", found["code"], flags=re.MULTILINE),
            found["mark"] or "",
        )
        for found in FENCE.finditer(text)
    ]


def commands(page: str) -> list[str]:
    """Return the commands of a page that a test runs; a dry run takes the place of one that is planned alone."""
    return [
        block.code if not block.mark else block.code.replace("snakemake ", "snakemake -n ", 1)
        for block in blocks_of(page)
        if block.language == "bash" and block.mark != "not run"
    ]
