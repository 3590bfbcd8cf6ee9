"""Put VAEs, supervised networks and correlations into one table (CSV) and one summary (Markdown)."""

from __future__ import annotations

from pathlib import Path

from oddjet.errors import naming
from oddjet.images.vae_results import LatentRow, VaeAucRow
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.studies.vae_scan import scan_rows
from oddjet.studies.vae_table import write_vae_table

EXAMPLE = """python workflow/scripts/summarize_vae.py --scores results/images/scores/vae_mse_1/*.h5 \\
      --records results/images/choices/vae_mse_1.json --ceilings results/images/cnn/*/depth-*/auc.csv \\
      --latent results/images/vae/latent.csv --table vae.csv --summary vae.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--scores", type=Path, nargs="+", required=True, help="score tables of all VAEs")
    arguments.add_argument("--records", type=Path, nargs="+", required=True, help="what they are of (JSON)")
    arguments.add_argument("--ceilings", type=Path, nargs="*", default=(), help="tables of train_cnn")
    arguments.add_argument("--latent", type=Path, required=True, help="table of correlate_vae")
    arguments.add_argument("--table", type=Path, required=True, help="table of all AUCs to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    given = arguments.parse_args()
    rows = [*scan_rows(given.records, given.scores), *read_rows(given.ceilings, VaeAucRow)]
    latent = read_rows(given.latent, LatentRow)
    with naming(given.latent):
        summary = write_vae_table(rows, latent)
    write_rows(given.table, rows, VaeAucRow)
    write_text(given.summary, summary)
    inputs = [*given.scores, *given.records, *given.ceilings, given.latent]
    write_origin("summarize_vae", "{}", inputs, [given.table, given.summary])


if __name__ == "__main__":
    execute(main)
