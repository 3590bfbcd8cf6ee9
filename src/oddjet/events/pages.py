"""Tables 1, 2 and 3 of the paper made again, its numbers beside ours: Markdown and CSV."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from oddjet.events.merit_tables import Latency, Summary
from oddjet.events.paper import MERITS, TABLE_1, TABLE_2, TABLE_3, PaperTable, PaperValue, paper_value

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
METHOD_TITLES = {
    "ot_2d": "2D OT",
    "ot_2d_mean": "2D OT, mean",
    "ot_2d_max": "2D OT, maximum",
    "ot_3d": "3D OT",
    "ot_3d_mean": "3D OT, mean",
    "ot_3d_max": "3D OT, maximum",
    "ot_3d_knn": "3D OT + anomaly kNN",
    "ot_3d_svm": "3D OT + one-class SVM",
    "ot_3d_svm_labels": "3D OT + one-class SVM, labels",
    "ot_3d_svm_paper": "3D OT + one-class SVM, the paper's gamma (not blind)",
    "ot_3d_svm_paper_labels": "3D OT + one-class SVM, the paper's gamma (not blind), labels",
    "ot_3d_linear": "3D OT, linearised",
    "sorted_pt": "sorted pT alone",
    "total_pt": "total pT",
    "met": "MET",
    "multiplicity": "total multiplicity",
    "ae": "AE",
    "nae": "NAE",
    "wnae": "WNAE",
}

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


def method_title(name: str) -> str:
    """Write a method as pages do."""
    if fewer := FEWER.fullmatch(name):
        return f"{METHOD_TITLES[fewer[1]]}, N = {fewer[2]}"
    if name.startswith("ot_3d_pt"):
        return f"3D OT, pT / {name.removeprefix('ot_3d_pt').replace('p', '.')} GeV"
    if name.startswith("ot_3d_medoids"):
        return f"3D OT to {name.removeprefix('ot_3d_medoids')} medoids"
    return METHOD_TITLES.get(name, name)


def table_markdown(table: Table, summaries: Summaries, signals: Sequence[str]) -> str:
    """Write one table: a block of lines for each figure of merit, a line a method, a column a signal."""
    lines = [f"## {table.title}", ""]
    for merit, title in MERIT_TITLES.items():
        lines += [f"| {title} | {' | '.join(SIGNAL_TITLES.get(signal, signal) for signal in signals)} |"]
        lines += ["|---|" + "---|" * len(signals)]
        for method in table.columns:
            cells = [_cell(summaries, table, method, merit, signal) for signal in signals]
            if any(cell != "-" for cell in cells):
                lines.append(f"| {method_title(method)} | {' | '.join(cells)} |")
        lines.append("")
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


def latency_markdown(rows: Sequence[Latency], summaries: Summaries, signals: Sequence[str]) -> str:
    """Write the table of AUC against cost, the cheapest score first."""
    head = ["score", "µs an event", "memory, kB", *(f"AUC {SIGNAL_TITLES.get(name, name)}" for name in signals), "mean"]
    lines = ["# Towards the trigger: AUC against cost on one core", "", _line(head), _line(["---"] * len(head))]
    for row in sorted(rows, key=lambda row: row.microseconds):
        aucs = [summaries[row.method, signal, "auc"].mean for signal in signals]
        cells = [f"{row.microseconds:.3g}", f"{row.bytes / 1000:.3g}", *(f"{auc:.3f}" for auc in aucs)]
        lines.append(_line([f"{method_title(row.method)}{row.what}", *cells, f"{sum(aucs) / len(aucs):.3f}"]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


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
    text = f"{value.mean:.{digits}g}" + ("" if math.isnan(value.sd) else f" ± {value.sd:.2g}")
    if merit.startswith("largest"):
        return f"{text} at {value.where:.2f}"
    return text if math.isnan(value.counting) else f"{text} [{value.counting:.2g}]"


def _theirs(value: PaperValue) -> str:
    where = "" if value.where is None else f" at {value.where:.2f}"
    return f"{value.mean:.4g} ± {value.sd:.2g}{where}{'†' if value.remark else ''}"
