"""Check that the cutflow of every feature table adds up, merge them by sample, and list the skipped files."""

from __future__ import annotations

from pathlib import Path

from oddjet.io.atomic import write_text
from oddjet.jets.cutflow import check_bad_files, merge_sample, report
from oddjet.jets.settings import FeatureSettings
from oddjet.program import execute, parser, read_settings, settings_argument

EXAMPLE = (
    "python workflow/scripts/check_cutflow.py --tables top=results/features/top/0.h5,results/features/top/1.h5 "
    "--cutflow results/features/cutflow.json --bad-files results/features/bad_files.json"
)


def main() -> None:
    """Read the arguments, check, and write the two JSON files."""
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--tables", required=True, nargs="+", metavar="SAMPLE=FILE[,FILE...]")
    arguments.add_argument("--cutflow", required=True, type=Path, help="JSON to write: the cutflow of each sample")
    arguments.add_argument("--bad-files", required=True, type=Path, help="JSON to write: the skipped files")
    given = arguments.parse_args()
    allowed = read_settings(given.settings, FeatureSettings).max_bad_fraction
    tables = {}
    for item in given.tables:
        name, _, files = item.partition("=")
        tables[name] = [Path(file) for file in files.split(",")]
    samples = {name: merge_sample(name, paths) for name, paths in tables.items()}
    for path, text in zip((given.cutflow, given.bad_files), report(samples), strict=True):
        write_text(path, text)
    for name, (_, bad) in samples.items():
        check_bad_files(name, bad, len(tables[name]), allowed)


if __name__ == "__main__":
    execute(main)
