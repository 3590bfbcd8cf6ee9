"""Write the report of a run as one HTML file, from the tables and figures of its analyses."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.io.atomic import write_text
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings
from oddjet.report.findings import read_run
from oddjet.report.html import write_page
from oddjet.report.pages import report_page
from oddjet.report.settings import TABLES, AllShown

EXAMPLE = """python workflow/scripts/write_report.py --analyses '{"jets": {"background": ["top"]}}' --results results \\
      --scores results/jets/scores/*/*.h5 --figures results/jets/figures/*.png --output report.html"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument(
        "--analyses",
        required=True,
        metavar="JSON",
        help="name of each analysis to its background, methods trained by epochs, titles, axes of figures",
    )
    arguments.add_argument("--results", type=Path, required=True, help="folder with run.json and those of the analyses")
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="score tables of all methods")
    arguments.add_argument("--figures", nargs="*", type=Path, default=[], help="PNG files, by their names")
    arguments.add_argument(
        "--matrix", nargs="*", type=Path, default=[], help="table of tabulate_matrix, if there is one"
    )
    arguments.add_argument("--output", type=Path, required=True, help="HTML file to write")
    given = arguments.parse_args()
    shown = read_settings(given.analyses, AllShown, "--analyses").root
    run = read_run(given.results, shown, given.scores, given.figures, next(iter(given.matrix), None))
    write_text(given.output, write_page(report_page(run)))
    tables = [given.results / name / file for name in shown for file in TABLES]
    settings = json.dumps({"analyses": {name: one.model_dump() for name, one in shown.items()}})
    write_origin("write_report", settings, [*tables, *given.scores, *given.figures, *given.matrix], [given.output])


if __name__ == "__main__":
    execute(main)
