"""Say whether a configuration fits and its files are there, as the workflow checks before the first job."""

from __future__ import annotations

from pathlib import Path

from oddjet.config import load_config
from oddjet.configfile import read_configuration
from oddjet.inputs import listed_files
from oddjet.program import execute, parser

EXAMPLE = "python workflow/scripts/check_config.py config/config.yaml"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("configfiles", nargs="+", type=Path, help="as given to snakemake --configfile, in its order")
    given = arguments.parse_args()
    config = load_config(read_configuration(given.configfiles))
    found = listed_files(config)
    for name, sample in found.items():
        for line in sample.left_out:
            print(f"samples.{name}.files: {line}")
    print(
        f"fits: {len(config.of_kind('background'))} background and {len(config.of_kind('signal'))} signal samples, "
        f"{sum(len(sample.parts) for sample in found.values())} files, {len(config.methods)} methods"
    )


if __name__ == "__main__":
    execute(main)
