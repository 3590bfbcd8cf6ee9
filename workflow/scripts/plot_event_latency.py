"""Draw the AUC of the scores of whole events against what they cost on one core."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.events.figures import costs
from oddjet.events.merit_tables import Latency, SetMerit, summarise
from oddjet.io.atomic import atomic_path
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.plotting.events import draw_costs
from oddjet.plotting.style import save_figure
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/plot_event_latency.py --latency latency.csv --merit merit.csv \\
      --output-pdf latency.pdf --output-png latency.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--latency", type=Path, required=True, help="costs of the scores (CSV)")
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit by test set (CSV)")
    arguments.add_argument("--label", default="Simulation", help="words above the left corner (default: %(default)s)")
    arguments.add_argument("--output-pdf", type=Path, required=True, help="figure to write")
    arguments.add_argument("--output-png", type=Path, required=True, help="the same figure to write")
    given = arguments.parse_args()
    shown = costs(read_rows(given.latency, Latency), summarise(read_rows(given.merit, SetMerit)))
    figure = draw_costs(shown, given.label)
    for output in (given.output_pdf, given.output_png):
        with atomic_path(output) as path:
            save_figure(figure, path)
    outputs = [given.output_pdf, given.output_png]
    write_origin("plot_event_latency", json.dumps({"label": given.label}), [given.latency, given.merit], outputs)


if __name__ == "__main__":
    execute(main)
