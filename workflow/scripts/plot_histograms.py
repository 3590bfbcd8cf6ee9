"""Draw one of the paper's histograms (4, 11, 12): features of jets, negative samples and a signal, epoch by epoch."""

from __future__ import annotations

from pathlib import Path

from oddjet.axes import HeatmapSettings
from oddjet.dataset.scaling import Scaler
from oddjet.evaluation.history import read_history
from oddjet.evaluation.paper import histogram_panels
from oddjet.evaluation.signals import parse_signals
from oddjet.evaluation.snapshots import read_jets, read_negatives
from oddjet.io.tables import read_json
from oddjet.plotting.histograms import draw_histograms, sample_names
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure

EXAMPLE = """python workflow/scripts/plot_histograms.py --figure 11 --title WNAE --seed 1 \\
      --negatives results/jets/negatives/wnae/*.h5 --history results/jets/models/wnae/*/history.csv \\
      --signal svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5 \\
      --background results/jets/dataset/validation.h5 --output 11.pdf 11.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--figure", required=True, help="number in the analysis summary: 4, 11 or 12")
    arguments.add_argument("--title", required=True, help="title of the method")
    arguments.add_argument("--seed", type=int, required=True, help="the seed to draw")
    arguments.add_argument("--negatives", nargs="+", type=Path, required=True, help="tables of sample_negatives")
    arguments.add_argument("--history", nargs="+", type=Path, required=True, help="histories of the same training")
    arguments.add_argument("--background", type=Path, required=True, help="validation part of the background")
    arguments.add_argument("--signal", required=True, metavar="NAME=FILE[,FILE]", help="feature tables of one signal")
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    figure_arguments(arguments)
    given = arguments.parse_args()
    # The method's own coordinates, in which its negatives are; they need not be those of the dataset.
    scaler = Scaler.from_dict(read_json(given.negatives[0], "scaler"))
    (signal,) = parse_signals([given.signal], given.points)
    tables = {"background": [given.background], "signal": signal.files}
    jets = {name: read_jets(tables[name], scaler.transform) for name in tables}
    samples = jets, read_negatives(given.negatives, scaler.names), read_history(given.history)
    rows = histogram_panels(given.figure, scaler.names, *samples, given.seed)
    right, names = f"{given.title}, seed {given.seed}", sample_names(HeatmapSettings().words(signal.point))
    figure = draw_histograms(rows, names, right, given.label, scaler.range if scaler.scaling == "min_max" else None)
    shown = {key: len(values) for key, (values, _) in rows[0][0].samples.items()}
    note = f"{shown['background']} validation jets, {shown['negatives']} negative and {shown['signal']} signal samples."
    inputs = [*given.negatives, *given.history, given.background, *signal.files]
    write_figure("plot_histograms", figure, given.output, {}, inputs, f"{note} Distributions of unit area.")


if __name__ == "__main__":
    execute(main)
