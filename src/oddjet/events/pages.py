"""Tables 1, 2 and 3 of the paper made again, its numbers beside ours: Markdown and CSV."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from oddjet.events.merit_tables import Latency, Summary
from oddjet.events.paper import MERITS, TABLE_1, TABLE_2, TABLE_3, PaperTable, PaperValue, paper_value
from oddjet.report.markdown import markdown_table, with_errors
from oddjet.titles import Titles

Summaries = Mapping[tuple[str, str, str], Summary]

MERIT_TITLES = {
    "auc": "AUC",
    "rejection": "1/eps_b at eps_s = 0.3",
    "improvement": "SI at eps_s = 0.3",
    "largest_f1": "largest F1 (eps_s)",
    "largest_improvement": "largest SI (eps_s)",
}
# Scores with fewer references than the others.
FEWER = re.compile(r"(ot_[23]d)_n(\d+)")
SIGNAL_TITLES = {"a_4l": "A", "h0_tautau": "h0", "hpm_taunu": "h±", "lq_taub": "LQ"}
EXPLANATION = """\
Mean ± standard deviation over the test sets (table 3: over the folds); in brackets the paper's number, on its own data.
`[n]` after 1/eps_b and SI is the error of the mean by the number of background events that pass (binomial), all sets
together. F1 and SI are the largest over eps_s in [0.2, 1]; the largest SI counts only cuts that keep ten background
events of a set, which the paper does not ask for. Hard labels have one efficiency: their AUC is
(1 + eps_s - eps_b) / 2. † marks printed numbers of the paper that cannot be right.
"""


NO_SUMMARY = Summary(math.nan, math.nan, math.nan, math.nan)
NO_VALUE = PaperValue(math.nan, math.nan, None, "")


class Table(NamedTuple):
    """A table of the paper: its columns, of which some are ours alone or the paper's alone."""

    title: str
    columns: Sequence[str]
    paper: PaperTable


@dataclass(frozen=True)
class ComparedNumber:
    """A number of a table and the paper's; what is not there is NaN or None."""

    merit: str
    method: str
    signal: str
    mean: float
    sd: float
    where: float
    counting_error: float
    paper_mean: float
    paper_sd: float
    paper_where: float | None
    paper_remark: str


def tables(methods: Sequence[str], variants: Sequence[str]) -> dict[str, Table]:
    """Lay out the three tables and one of further scores, of the methods and variants that there are."""
    second = [name for name in TABLE_2 if name in methods or name in ("AE-Raw", "AnomCLR+")]
    first = [
        "ot_2d",
        *(name for name in methods if FEWER.fullmatch(name) and name.startswith("ot_2d")),
        "ot_3d",
        *(name for name in methods if FEWER.fullmatch(name) and name.startswith("ot_3d")),
        "ot_3d_knn",
        "ot_3d_svm_labels",
        "ot_3d_svm",
        "ot_3d_svm_paper_labels",
        "ot_3d_svm_paper",
    ]
    networks = [name for name in ("ae", "nae", "wnae") if name in methods]
    rest = [name for name in methods if name not in (*first, *second, *networks)]
    return {
        "table1": Table("Table 1: scores by optimal transport", [n for n in first if n in methods], TABLE_1),
        "table2": Table("Table 2: baselines", [*second, *networks], TABLE_2),
        "table3": Table(
            "Table 3: neighbours that know the signal", list(dict.fromkeys([*variants, *TABLE_3])), TABLE_3
        ),
        "ablations": Table("Further scores", rest, {}),
    }


def papers(table: Table, method: str, merit: str, signal: str) -> PaperValue | None:
    """Look up the paper's number; it gives no N, so its row stands beside ours of any N."""
    fewer = FEWER.fullmatch(method)
    return paper_value(table.paper, fewer[1] if fewer else method, merit, signal)


def table_markdown(table: Table, summaries: Summaries, signals: Sequence[str], titles: Titles) -> str:
    """Write one table: a block of lines for each figure of merit, a line a method, a column a signal."""
    lines = [f"## {table.title}", ""]
    for merit, title in MERIT_TITLES.items():
        rows = [[title, *(SIGNAL_TITLES.get(signal, signal) for signal in signals)]]
        for method in table.columns:
            cells = [_cell(summaries, table, method, merit, signal) for signal in signals]
            if any(cell != "-" for cell in cells):
                rows.append([titles(method), *cells])
        lines += [*markdown_table(rows), ""]
    return "\n".join(lines)


def compared_numbers(table: Table, summaries: Summaries, signals: Sequence[str]) -> list[ComparedNumber]:
    """Set every number of one table beside the paper's."""
    rows = []
    for merit in MERITS:
        for method in table.columns:
            for signal in signals:
                ours = summaries.get((method, signal, merit)) if _defined(method, merit) else None
                theirs = papers(table, method, merit, signal)
                if ours or theirs:
                    rows.append(ComparedNumber(merit, method, signal, *(ours or NO_SUMMARY), *(theirs or NO_VALUE)))
    return rows


def latency_markdown(rows: Sequence[Latency], summaries: Summaries, signals: Sequence[str], titles: Titles) -> str:
    """Write the table of AUC against cost, the cheapest score first."""
    head = ["score", "µs an event", "memory, kB", *(f"AUC {SIGNAL_TITLES.get(name, name)}" for name in signals), "mean"]
    table = [head]
    for row in sorted(rows, key=lambda row: row.microseconds):
        aucs = [summaries[row.method, signal, "auc"].mean for signal in signals]
        cells = [f"{row.microseconds:.3g}", f"{row.bytes / 1000:.3g}", *(f"{auc:.3f}" for auc in aucs)]
        table.append([f"{titles(row.method)}{row.what}", *cells, f"{sum(aucs) / len(aucs):.3f}"])
    return "\n".join(["# Towards the trigger: AUC against cost on one core", "", *markdown_table(table), ""])


def _defined(method: str, merit: str) -> bool:
    """Hard labels have one efficiency: nothing can be given at another one."""
    return not (method.endswith("_labels") and merit in ("rejection", "improvement"))


def _cell(summaries: Summaries, table: Table, method: str, merit: str, signal: str) -> str:
    ours, theirs = summaries.get((method, signal, merit)), papers(table, method, merit, signal)
    parts = []
    if ours and _defined(method, merit):
        parts.append(_ours(ours, merit))
    if theirs:
        parts.append(f"({_theirs(theirs)})")
    return " ".join(parts) or "-"


def _ours(value: Summary, merit: str) -> str:
    if not math.isfinite(value.mean):
        return "no background left" if value.mean == math.inf else "-"
    digits = 4 if merit == "auc" or merit.startswith("largest_f") else 3
    text = with_errors(value.mean, value.sd, form=f".{digits}g", error_form=".2g")
    if merit.startswith("largest"):
        return f"{text} at {value.where:.2f}"
    return text if math.isnan(value.counting) else f"{text} [{value.counting:.2g}]"


def _theirs(value: PaperValue) -> str:
    where = "" if value.where is None else f" at {value.where:.2f}"
    text = with_errors(value.mean, value.sd, form=".4g", error_form=".2g")
    return f"{text}{where}{'†' if value.remark else ''}"
