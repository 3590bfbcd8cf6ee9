"""Draw the training of one method by epoch: energies and transport distance, and the AUC of its snapshots."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.history import EpochAucRow, auc_by_fraction, auc_over_grid, choose_mass, read_history, with_gaps
from oddjet.evaluation.scores import read_method
from oddjet.io.csv import read_rows
from oddjet.plotting.history import TrainingCurves, draw_training
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure

EXAMPLE = """python workflow/scripts/plot_training.py --history results/jets/models/wnae/*/history.csv \\
      --auc-by-epoch results/jets/models/wnae/*/auc_by_epoch.csv --scores results/jets/scores/wnae/*.h5 \\
      --output-pdf training.pdf --output-png training.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument(
        "--history", nargs="+", type=Path, required=True, help="histories of one method, a group each"
    )
    arguments.add_argument("--auc-by-epoch", nargs="+", type=Path, required=True, help="tables of monitor_training")
    arguments.add_argument(
        "--scores", nargs="*", type=Path, default=[], help="score tables: they know the chosen epochs"
    )
    arguments.add_argument("--m-phi", type=float, help="mediator mass to draw, GeV (default: 2000, or the middle one)")
    figure_arguments(arguments)
    given = arguments.parse_args()
    rows = read_rows(given.auc_by_epoch, EpochAucRow)
    methods = [read_method(path) for path in given.scores]
    chosen = {seed: epoch for one in methods for seed, epoch in zip(one.seeds, one.epochs, strict=True)}
    m_phi = choose_mass(rows, given.m_phi)
    history, auc, mean = with_gaps(read_history(given.history)), auc_by_fraction(rows, m_phi), auc_over_grid(rows)
    figure = draw_training(TrainingCurves(rows[0].method, history, auc, mean, m_phi, chosen), given.label)
    write_figure(
        "plot_training", figure, given, {"label": given.label}, [*given.history, *given.auc_by_epoch, *given.scores]
    )


if __name__ == "__main__":
    execute(main)
