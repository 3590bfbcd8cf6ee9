"""Draw the figures of each method: AUC over the grid, scores with ROC curves, training by epoch, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.program import execute, parser, progress
from oddjet.report.figures import by_name, figure_arguments, selection_argument, write_figure
from oddjet.report.method_figures import by_method, draw
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_methods.py \\
      --auc results/jets/auc/*.csv --scores results/jets/scores/wnae/*.h5 \\
      --history results/jets/models/wnae/*/history.csv --auc-by-epoch results/jets/models/wnae/*/auc_by_epoch.csv \\
      --output auc_heatmap_ae.pdf scores_wnae.pdf training_wnae.pdf"""
TABLES = {
    "auc": "AUC tables, one a method, for auc_heatmap_METHOD",
    "scores": "score tables, for scores_METHOD; those of a trained method know its chosen epochs",
    "history": "histories of trainings, for training_METHOD",
    "auc_by_epoch": "tables of monitor_training, in the order of the histories",
}


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    for name, what in TABLES.items():
        arguments.add_argument(f"--{name.replace('_', '-')}", nargs="*", type=Path, default=[], help=what)
    arguments.add_argument("--means", nargs="*", default=[], help="methods whose scores are means of seeds' scores")
    titles_argument(arguments, samples=True, axes=True)
    selection_argument(arguments)
    figure_arguments(arguments, written="figures to write, by their names: KIND_METHOD.pdf or .png")
    given = arguments.parse_args()
    titles = read_titles(given)
    methods = by_method({name: getattr(given, name) for name in TABLES}, titles, given.means, given.selection)
    settings = {
        "label": given.label,
        "titles": titles.given,
        "samples": titles.samples,
        "means": given.means,
        "heatmap": given.heatmap,
        "selection": given.selection,
    }
    figures = by_name(given.output)
    for name, outputs in progress(figures.items(), total=len(figures), description="figures of methods"):
        figure, inputs = draw(name, methods, given.label)
        write_figure("plot_methods", figure, outputs, settings, inputs)


if __name__ == "__main__":
    execute(main)
