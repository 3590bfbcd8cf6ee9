"""Draw one of the paper's histograms (4, 11, 12): features of jets, negative samples and a signal, epoch by epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from oddjet.dataset.scaling import Scaler
from oddjet.evaluation.history import read_history
from oddjet.evaluation.negatives import read_negatives
from oddjet.evaluation.paper_samples import histogram_panels
from oddjet.evaluation.signals import parse_signals
from oddjet.io.tables import read_json, read_table
from oddjet.plotting.histograms import draw_histograms, sample_names
from oddjet.plotting.style import method_title
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure

EXAMPLE = """python workflow/scripts/plot_histograms.py --figure 11 --method wnae --seed 1 --output-png 11.png \\
      --negatives results/jets/negatives/wnae/*.h5 --history results/jets/models/wnae/*/history.csv \\
      --signal svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5 \\
      --background results/jets/dataset/validation.h5 --output-pdf 11.pdf"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--figure", required=True, help="number in the analysis summary: 4, 11 or 12")
    arguments.add_argument("--method", required=True, help="name of the method, for the heading")
    arguments.add_argument("--seed", type=int, required=True, help="the seed to draw")
    arguments.add_argument("--negatives", nargs="+", type=Path, required=True, help="tables of sample_negatives")
    arguments.add_argument("--history", nargs="+", type=Path, required=True, help="histories of the same training")
    arguments.add_argument("--background", type=Path, required=True, help="validation part of the background")
    arguments.add_argument("--signal", required=True, metavar="NAME=FILE[,FILE]", help="feature tables of one signal")
    arguments.add_argument("--points", metavar="JSON", help="name to [m_phi, r_inv], where a name does not hold them")
    figure_arguments(arguments)
    given = arguments.parse_args()
    # The method's own coordinates, in which its negatives are; they need not be those of the dataset.
    scaler = Scaler.from_dict(read_json(given.negatives[0], "scaler"))
    (signal,) = parse_signals([given.signal], given.points)
    tables = {"background": [given.background], "signal": signal.files}
    jets = {name: np.concatenate([scaler.transform(read_table(one)) for one in tables[name]]) for name in tables}
    samples = jets, read_negatives(given.negatives, scaler.names), read_history(given.history)
    rows = histogram_panels(given.figure, scaler.names, *samples, given.seed)
    right, names = f"{method_title(given.method)}, seed {given.seed}", sample_names(signal.m_phi, signal.r_inv)
    figure = draw_histograms(rows, names, right, given.label, scaler.range if scaler.scaling == "min_max" else None)
    write_figure(
        "plot_histograms", figure, given, {}, [*given.negatives, *given.history, given.background, *signal.files]
    )


if __name__ == "__main__":
    execute(main)
