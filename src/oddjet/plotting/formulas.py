"""Text with formulas between dollar signs, checked before anything is drawn."""

from __future__ import annotations

from matplotlib.cbook import is_math_text
from matplotlib.mathtext import MathTextParser


def check_formulas(text: str) -> None:
    """Read a text as a figure would; raises ValueError with matplotlib's reason, one line, for what is no formula."""
    # A dollar alone is drawn as it is.
    if not is_math_text(text):
        return
    try:
        MathTextParser("path").parse(text)
    except ValueError as error:
        raise ValueError(str(error).strip().splitlines()[-1]) from None
