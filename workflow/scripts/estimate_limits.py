"""Estimate the limit on each signal's cross section that a method's scores would give, and write its workspaces."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.limits import LimitRow, method_limits, share_of_test, write_histograms, write_seed
from oddjet.evaluation.settings import LimitSettings
from oddjet.evaluation.signals import files_of, parse_signals
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.io.weights import sample_factors
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/estimate_limits.py --scores results/jets/scores/mahalanobis/seeds-1.h5 \\
      --splits results/jets/dataset/train.h5 results/jets/dataset/validation.h5 results/jets/dataset/test.h5 \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5 \\
      --output limits.csv --histograms limits.root --output-dir limits"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="score tables of one method")
    arguments.add_argument("--splits", nargs="+", type=Path, required=True, help="background tables, the test one last")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    arguments.add_argument(
        "--weighted-to", nargs="*", default=[], metavar="NAME=PB", help="signals and test backgrounds weighted in pb"
    )
    arguments.add_argument("--output", type=Path, required=True, help="limits to write (CSV)")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of workspaces")
    arguments.add_argument("--histograms", type=Path, required=True, help="histograms of the score to write (ROOT)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, LimitSettings)
    signals = files_of(parse_signals(given.signals, given.points))
    factors = sample_factors(signals, dict.fromkeys(signals, 1.0))
    told = dict(one.split("=") for one in given.weighted_to)
    factors |= {name: 1 / float(value) if name in signals else 1.0 for name, value in told.items()}
    share = share_of_test(given.splits, given.splits[-1])
    seeds = [found for scores in given.scores for found in method_limits(scores, share, factors, settings)]
    inputs = [*given.scores, *given.splits, *(path for files in signals.values() for path in files)]
    for found in seeds:
        write_seed(given.output_dir / f"seed-{found.seed}", found)
    write_histograms(given.histograms, seeds, attributes("estimate_limits", settings.model_dump_json(), inputs))
    write_rows(given.output, [row for found in seeds for row in found.rows], LimitRow)
    write_origin("estimate_limits", settings.model_dump_json(), inputs, [given.output])


if __name__ == "__main__":
    execute(main)
