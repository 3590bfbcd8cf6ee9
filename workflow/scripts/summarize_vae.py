"""Put VAEs, supervised networks and correlations into one table (CSV) and one summary (Markdown)."""

from __future__ import annotations

from pathlib import Path

from oddjet.errors import naming
from oddjet.images.vae_results import LatentRow, VaeAucRow
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.studies.vae_table import write_vae_table

EXAMPLE = """python workflow/scripts/summarize_vae.py --auc results/images/vae/*/depth-*/auc.csv \\
      results/images/cnn/*/depth-*/auc.csv --latent results/images/vae/latent.csv --table vae.csv --summary vae.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--auc", type=Path, nargs="+", required=True, help="tables of score_vae and train_cnn")
    arguments.add_argument("--latent", type=Path, required=True, help="table of correlate_vae")
    arguments.add_argument("--table", type=Path, required=True, help="table of all AUCs to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    given = arguments.parse_args()
    rows = read_rows(given.auc, VaeAucRow)
    latent = read_rows(given.latent, LatentRow)
    with naming(given.latent):
        summary = write_vae_table(rows, latent)
    write_rows(given.table, rows, VaeAucRow)
    write_text(given.summary, summary)
    write_origin("summarize_vae", "{}", [*given.auc, given.latent], [given.table, given.summary])


if __name__ == "__main__":
    execute(main)
