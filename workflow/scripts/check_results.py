"""Say which results no longer match the code, the configuration or their inputs, from the digests inside the files."""

from __future__ import annotations

import sys
from pathlib import Path

from oddjet.jobs import Jobs
from oddjet.program import execute, parser
from oddjet.results import Results

EXAMPLE = "python workflow/scripts/check_results.py --configfile config/config.yaml --results results"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument(
        "--configfile",
        type=Path,
        default=Path("config/config.yaml"),
        help="configuration that the results should be of (default: %(default)s)",
    )
    arguments.add_argument(
        "--results", type=Path, default=Path("results"), help="folder to check (default: %(default)s)"
    )
    given = arguments.parse_args()
    results = Results(given.results).check(Jobs(given.configfile))
    stale = [result for result in results if result.reasons]
    for result in stale:
        print(f"{result.path}: {'; '.join(result.reasons)}")
    print(f"{len(results) - len(stale)} of {len(results)} results match the code, the configuration and their inputs")
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    execute(main)
