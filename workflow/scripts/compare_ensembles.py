"""Compare the mean energies of two sets of models on the same jets: AUC over the grid, difference, paired bootstrap."""

from __future__ import annotations

import sys
from pathlib import Path

from oddjet.detectors.file import load
from oddjet.evaluation.ensembles import Member, members_of, paired_difference
from oddjet.evaluation.settings import MeritSettings
from oddjet.io.tables import read_table
from oddjet.program import execute, parser, read_settings, settings_argument

EXAMPLE = """python workflow/scripts/compare_ensembles.py --scores results/jets/scores/wnae/*.h5 \\
      --models results/jets/models/wnae/*/model.pt --against results/jets/scores/mahalanobis/seeds-1.h5 \\
      --background results/jets/dataset/validation.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    several = "their models, in that order; left out for one table with one seed"
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="score tables, averaged together")
    arguments.add_argument("--models", nargs="*", type=Path, default=[], help=several)
    arguments.add_argument("--against", nargs="+", type=Path, required=True, help="the other side's score tables")
    arguments.add_argument("--against-models", nargs="*", type=Path, default=[], help=several)
    arguments.add_argument("--background", type=Path, help="validation part of the background: means and deviations")
    given = arguments.parse_args()
    settings = read_settings(given.settings, MeritSettings)
    background = None if given.background is None else read_table(given.background, needed=["weight"])
    sides = (
        _members(given.models, given.scores, "--models"),
        _members(given.against_models, given.against, "--against-models"),
    )
    found = paired_difference(*sides, background, settings)
    difference = found.first - found.second
    sys.stdout.write(f"{found.first:.4f} against {found.second:.4f}: {difference:+.4f} +- {found.error:.4f}\n")


def _members(paths: list[Path], scores: list[Path], option: str) -> list[Member]:
    return members_of([load(path) for path in paths], scores, option)


if __name__ == "__main__":
    execute(main)
