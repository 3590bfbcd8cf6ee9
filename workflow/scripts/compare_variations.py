"""Compare AUC and efficiencies under systematic variations with the nominal ones (CSV and Markdown)."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.settings import VariationSettings
from oddjet.evaluation.signals import parse_files
from oddjet.evaluation.variations import VariationRow, variation_rows, write_variations
from oddjet.io.atomic import write_text
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/compare_variations.py --nominal results/jets/scores/wnae/seeds-1-2.h5 \\
      --shifted jec_up=results/jets/variations/jec_up/scores/wnae/seeds-1-2.h5 --table v.csv --summary v.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--nominal", type=Path, nargs="+", required=True, help="score tables of all methods")
    arguments.add_argument(
        "--shifted", nargs="*", default=[], metavar="NAME=FILE,FILE", help="score tables under each variation of jets"
    )
    arguments.add_argument("--table", type=Path, required=True, help="table to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    titles_argument(arguments)
    given = arguments.parse_args()
    settings, titles = read_settings(given.settings, VariationSettings), read_titles(given)
    shifted = parse_files("--shifted", given.shifted)
    rows = variation_rows(given.nominal, shifted, settings.background_efficiency)
    write_rows(given.table, rows, VariationRow)
    write_text(given.summary, write_variations(rows, settings.background_efficiency, titles))
    inputs = [*given.nominal, *(path for paths in shifted.values() for path in paths)]
    write_origin("compare_variations", settings.model_dump_json(), inputs, [given.table, given.summary])


if __name__ == "__main__":
    execute(main)
