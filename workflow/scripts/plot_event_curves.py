"""Draw the paper's figures 1 and 2: ROC and SI curves of the scores by optimal transport, for every signal."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.events.figures import CURVES, curve_panels
from oddjet.events.merit_tables import CurvePoint, SetMerit, summarise
from oddjet.io.atomic import atomic_path
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.plotting.events import draw_curves
from oddjet.plotting.style import save_figure
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/plot_event_curves.py --curves curves.csv --merit merit.csv --kind roc \\
      --output-pdf roc.pdf --output-png roc.png"""
QUANTITIES = {"roc": r"background rejection $1 - \epsilon_b$", "si": r"SI $= \epsilon_s / \sqrt{\epsilon_b}$"}


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--curves", type=Path, required=True, help="curves of all scores (CSV)")
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit by test set (CSV)")
    arguments.add_argument("--kind", choices=sorted(QUANTITIES), required=True, help="figure 1 (roc) or 2 (si)")
    arguments.add_argument("--methods", nargs="+", default=list(CURVES), help="scores (default: the paper's)")
    arguments.add_argument("--label", default="Simulation", help="words above the left corner (default: %(default)s)")
    arguments.add_argument("--output-pdf", type=Path, required=True, help="figure to write")
    arguments.add_argument("--output-png", type=Path, required=True, help="the same figure to write")
    given = arguments.parse_args()
    summaries = summarise(read_rows(given.merit, SetMerit))
    panels = curve_panels(read_rows(given.curves, CurvePoint), summaries, given.methods, given.kind)
    figure = draw_curves(panels, given.label, QUANTITIES[given.kind], given.kind)
    for output in (given.output_pdf, given.output_png):
        with atomic_path(output) as path:
            save_figure(figure, path)
    settings = json.dumps({"kind": given.kind, "methods": given.methods, "label": given.label})
    write_origin("plot_event_curves", settings, [given.curves, given.merit], [given.output_pdf, given.output_png])


if __name__ == "__main__":
    execute(main)
