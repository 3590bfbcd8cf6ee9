"""Words for a name that is none of those that there are: which are, and which one was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def not_among(given: object, known: Iterable[str]) -> str:
    """Say that there is no such name, which known one is the nearest, and all that are known."""
    names = list(known)
    meant = difflib.get_close_matches(str(given), names, n=1)
    nearest = f"; did you mean {meant[0]!r}?" if meant else "."
    return f"there is no {given!r}{nearest} There are: {', '.join(names) or 'none'}"
