"""Draw the scan of beta, and the distances of pairs of jets inside the network and between the images."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.images.vae_results import VaeAucRow
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.io.tables import read_attribute, read_table
from oddjet.plotting.vae import ScanPoint, draw_pairs, draw_scan
from oddjet.program import execute, parser
from oddjet.report.figures import save_figures

EXAMPLE = """python workflow/scripts/plot_vae.py --table results/images/vae.csv --pairs results/images/vae/pairs.h5 \\
      --metric mse --scan scan.pdf scan.png --latent latent.pdf latent.png"""


def scan_points(rows: list[VaeAucRow], metric: str) -> list[ScanPoint]:
    losses = [row for row in rows if (row.training_metric, row.anomaly_metric) == (metric, "loss")]
    places = dict.fromkeys((row.depth, row.beta, row.validation_loss) for row in losses)
    return [
        ScanPoint(
            *place, {row.signal: (row.auc, row.auc_error) for row in losses if (row.depth, row.beta) == place[:2]}
        )
        for place in places
    ]


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--table", type=Path, required=True, help="table of summarize_vae (CSV)")
    arguments.add_argument("--pairs", type=Path, required=True, help="pairs of correlate_vae (HDF5)")
    arguments.add_argument("--metric", default="mse", help="training metric of the scan (default: %(default)s)")
    arguments.add_argument("--label", default="Simulation", help="words above the left corner (default: %(default)s)")
    arguments.add_argument("--scan", type=Path, nargs="+", required=True, help="figure of the scan to write")
    arguments.add_argument("--latent", type=Path, nargs="+", required=True, help="figure of the pairs to write")
    given = arguments.parse_args()
    scan = draw_scan(scan_points(read_rows(given.table, VaeAucRow), given.metric), given.metric, given.label)
    chosen = read_attribute(given.pairs, "chosen")
    latent = draw_pairs(read_table(given.pairs, needed=["mse", f"latent {chosen}"]), chosen, given.label)
    for figure, outputs in ((scan, given.scan), (latent, given.latent)):
        save_figures(figure, outputs)
    settings = json.dumps({"label": given.label, "metric": given.metric})
    write_origin("plot_vae", settings, [given.table, given.pairs], [*given.scan, *given.latent])


if __name__ == "__main__":
    execute(main)
