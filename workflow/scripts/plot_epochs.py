"""Draw one of the paper's figures by epoch (2a to 9b, 13): the median of the seeds and their range."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.history import EpochAucRow, SnapshotRow, read_history
from oddjet.evaluation.paper import TrainingTables, paper_panels
from oddjet.io.csv import read_rows
from oddjet.plotting.epochs import draw_epochs
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, jets_in_words, write_figure
from oddjet.titles import default_title

EXAMPLE = """python workflow/scripts/plot_epochs.py --figure 9b --history results/jets/models/wnae/*/history.csv \\
      --auc-by-epoch results/jets/models/wnae/*/auc_by_epoch.csv --output 9b.pdf 9b.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument(
        "--figure", required=True, help="number in the analysis summary: 2a, 3a, 3b, 5, 7a, 9a, 9b, 13"
    )
    arguments.add_argument("--history", nargs="+", type=Path, required=True, help="histories of one method")
    arguments.add_argument("--auc-by-epoch", nargs="+", type=Path, required=True, help="tables of monitor_training")
    arguments.add_argument("--measured", nargs="*", type=Path, default=[], help="tables of measure_snapshots (2a, 9a)")
    arguments.add_argument("--seed", type=int, help="draw this seed alone")
    arguments.add_argument("--title", help="title of the method (default: the words of its name)")
    figure_arguments(arguments)
    given = arguments.parse_args()
    rows = read_rows(given.auc_by_epoch, EpochAucRow)
    measured = read_rows(given.measured, SnapshotRow)
    tables = TrainingTables(read_history(given.history), rows, measured)
    if given.seed is not None:
        tables = tables.of_seed(given.seed)
    seeds = sorted({row.seed for row in tables.auc})
    words = f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {seeds[0]}"
    right = f"{given.title or default_title(rows[0].method)}, {words}"
    panels = paper_panels(given.figure, tables)
    figure = draw_epochs(panels, right, given.label)
    note = "Lines: median of the seeds; bands: range of the seeds. " if len(seeds) > 1 else ""
    if any(panel.title == "AUC" for panel in panels):
        jets = {row.signal: row.n_signal for row in tables.auc}
        note += jets_in_words({"": [row.n_background for row in tables.auc]}, jets, "AUC on validation jets")
    write_figure(
        "plot_epochs",
        figure,
        given.output,
        {"figure": given.figure, "seed": given.seed, "title": given.title, "label": given.label},
        [*given.history, *given.auc_by_epoch, *given.measured],
        note,
    )


if __name__ == "__main__":
    execute(main)
