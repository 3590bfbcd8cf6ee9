"""Markdown tables as tests read them."""

import re


def cells_of(page: str) -> list[list[str]]:
    """Return the cells of every row of every table of a page, headers among them."""
    lines = [line for line in page.splitlines() if line.startswith("|") and not re.fullmatch(r"[|:-]+", line)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
