"""Draw losses by epoch, the scan of beta, and distances of pairs of jets inside the network and between the images."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.images.vae_results import VaeAucRow
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.io.tables import read_attribute, read_table
from oddjet.plotting.style import write_note
from oddjet.plotting.vae import draw_losses, draw_pairs, draw_scan
from oddjet.program import execute, parser
from oddjet.report.figures import errors_in_words, jets_in_words, save_figures
from oddjet.report.vae_figures import loss_curves, scan_points

EXAMPLE = """python workflow/scripts/plot_vae.py --table results/images/vae.csv --pairs results/images/vae/pairs.h5 \\
      --histories results/images/vae/mse/depth-2/*/*/history.csv --metric mse --losses losses.pdf \\
      --scan scan.pdf scan.png --latent latent.pdf latent.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--table", type=Path, required=True, help="table of summarize_vae (CSV)")
    arguments.add_argument("--pairs", type=Path, required=True, help="pairs of correlate_vae (HDF5)")
    arguments.add_argument("--histories", type=Path, nargs="+", required=True, help="history.csv of each training")
    arguments.add_argument("--metric", default="mse", help="training metric of the scan (default: %(default)s)")
    arguments.add_argument("--label", default="Simulation", help="words above the left corner (default: %(default)s)")
    arguments.add_argument("--losses", type=Path, nargs="+", required=True, help="figure of the losses to write")
    arguments.add_argument("--scan", type=Path, nargs="+", required=True, help="figure of the scan to write")
    arguments.add_argument("--latent", type=Path, nargs="+", required=True, help="figure of the pairs to write")
    given = arguments.parse_args()
    rows = read_rows(given.table, VaeAucRow)
    losses = draw_losses(loss_curves(rows, given.histories), given.label)
    write_note(
        losses, "Lines: validation; dotted: training, whose weights still change. The mean image needs no network."
    )
    scan = draw_scan(scan_points(rows, given.metric), given.metric, given.label)
    own = [row for row in rows if row.training_metric == given.metric]
    jets = jets_in_words({"background": [row.n_background for row in own]}, {row.signal: row.n_signal for row in own})
    write_note(
        scan,
        f"{jets} {errors_in_words(len({row.seed for row in own}))} A line joins trainings with as many down-samplings.",
    )
    chosen = read_attribute(given.pairs, "chosen")
    pairs = read_table(given.pairs, needed=["mse", f"latent {chosen}"])
    latent = draw_pairs(pairs, chosen, given.label)
    write_note(latent, f"{len(pairs)} pairs of test jets of the background.")
    figures = ((losses, given.losses), (scan, given.scan), (latent, given.latent))
    for figure, outputs in figures:
        save_figures(figure, outputs)
    settings = json.dumps({"label": given.label, "metric": given.metric})
    inputs = [given.table, given.pairs, *given.histories]
    write_origin("plot_vae", settings, inputs, [path for _, outputs in figures for path in outputs])


if __name__ == "__main__":
    execute(main)
