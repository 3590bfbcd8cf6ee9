"""Markdown: tables that also read as plain text, and a value with its errors."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from oddjet.errors import EvaluationError

# A number, whatever stands behind it: an error, a remark in brackets. `3D OT` is none.
NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?(?!\w)")
# Cells of a column of numbers that hold none.
EMPTY = ("", "-")


def markdown_table(table: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table: padded cells, columns of numbers aligned to the right.

    Parameters
    ----------
    table : sequence of sequences of str
        Rows of cells, the header first. A "|" in a cell is escaped.

    Returns
    -------
    list of str
        A line a row, and one below the header.

    Raises
    ------
    EvaluationError
        If a row has another number of cells than the header.
    """
    ragged = [row for row in table if len(row) != len(table[0])]
    if ragged:
        raise EvaluationError(
            f"the row {' '.join(ragged[0][:4])} has {len(ragged[0])} of {len(table[0])} cells: the tables do not fit "
            "together; run the stages that make them again"
        )
    columns = [[cell.replace("|", r"\|") for cell in column] for column in zip(*table, strict=True)]
    widths = [max(3, *map(len, column)) for column in columns]
    right = [_holds_numbers(column[1:]) for column in columns]
    laid_out = [
        [cell.rjust(width) if number else cell.ljust(width) for cell in column]
        for column, width, number in zip(columns, widths, right, strict=True)
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in zip(*laid_out, strict=True)]
    rule = [f"{'-' * (width + 1)}{':' if number else '-'}" for width, number in zip(widths, right, strict=True)]
    return [lines[0], f"|{'|'.join(rule)}|", *lines[1:]]


def with_errors(value: float, *errors: float, form: str = ".3f", error_form: str | None = None) -> str:
    """Write a value with its errors, `0.912 ± 0.003`; NaN is a dash, and an error that is NaN is left out.

    `form` and `error_form` are format specifications; errors have that of the value, without its sign, where none is
    given.
    """
    if math.isnan(value):
        return "-"
    known = [format(error, error_form or form.lstrip("+")) for error in errors if not math.isnan(error)]
    return " ± ".join([format(value, form), *known])


def _holds_numbers(cells: Sequence[str]) -> bool:
    """Tell whether a column holds numbers and nothing else."""
    filled = [cell for cell in cells if cell not in EMPTY]
    return bool(filled) and all(NUMBER.match(cell) for cell in filled)
