"""Write the report of an analysis as one HTML file, from its tables and figures."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.benchmarks import read_costs
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow
from oddjet.evaluation.scores import epochs_by_method
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows
from oddjet.io.origin import read_origin, write_origin
from oddjet.jets.cutflow import read_report
from oddjet.program import execute, parser
from oddjet.report.html import write_page
from oddjet.report.pages import Findings, report_page
from oddjet.run_record import remembered
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/write_report.py --analysis jets --folder results/jets --trained ae nae wnae \\
      --scores results/jets/scores/*/*.h5 --figures results/jets/figures/*.png --output report.html"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--analysis", required=True, help="its name")
    arguments.add_argument("--folder", type=Path, required=True, help="where its tables are; above it run.json")
    arguments.add_argument("--trained", nargs="*", default=[], help="methods that are trained by epochs")
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="score tables of all methods")
    arguments.add_argument("--figures", nargs="*", type=Path, default=[], help="PNG files, by their names")
    arguments.add_argument("--output", type=Path, required=True, help="HTML file to write")
    titles_argument(arguments, axes=True)
    given = arguments.parse_args()
    titles = read_titles(given)
    names = ("leaderboard.csv", "grid_means.csv", "merit.csv", "ceilings.csv", "cutflow.json", "bad_files.json")
    tables = [given.folder / name for name in names]
    epochs = {name: found for name, found in epochs_by_method(given.scores).items() if name in given.trained}
    cutflow, bad_files = map(read_report, tables[4:])
    kinds = (AucRow, GridRow, MeritRow, AucRow)
    rows = [read_rows(path, kind) for path, kind in zip(tables, kinds, strict=False)]
    above = given.folder.parent
    costs = read_costs(above / "benchmarks", {given.analysis, *cutflow})
    figures = {path.stem: path for path in given.figures}
    before = remembered(above)
    record, configuration = read_origin(tables[0]), before and before.configuration
    findings = Findings(
        given.analysis, *rows, epochs, cutflow, bad_files, figures, costs, record, configuration, titles
    )
    write_text(given.output, write_page(report_page(findings)))
    settings = json.dumps({"analysis": given.analysis, "trained": given.trained, **titles.record()})
    write_origin("write_report", settings, [*tables, *given.scores, *given.figures], [given.output])


if __name__ == "__main__":
    execute(main)
