"""AUC of all event-to-ensemble distances, and the page that sets them beside the paper's."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.images.tables import summarize_images
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/summarize_images.py --background qcd --tests qcd=qcd.h5 top=top.h5 \\
      --measured ensembles.h5 --medoids medoids.json --distances wass1.h5 mae.h5 --table t.csv --summary t.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--background", required=True, help="name of the background sample")
    arguments.add_argument("--tests", nargs="+", required=True, metavar="NAME=FILE", help="test images of each sample")
    arguments.add_argument("--measured", nargs="+", type=Path, required=True, help="files of measure_ensembles")
    arguments.add_argument("--medoids", nargs="+", type=Path, required=True, help="files of find_medoids, same order")
    arguments.add_argument(
        "--distances", nargs="*", type=Path, default=[], help="distances between background test jets, a metric each"
    )
    arguments.add_argument("--table", type=Path, required=True, help="AUCs to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="page to write (Markdown)")
    given = arguments.parse_args()
    tests = {name: Path(path) for name, _, path in (argument.partition("=") for argument in given.tests)}
    files = (given.measured, given.medoids, given.distances)
    summarize_images(tests, *files, background=given.background, table=given.table, summary=given.summary)
    inputs = [*tests.values(), *(path for group in files for path in group)]
    settings = json.dumps({"background": given.background})
    write_origin("summarize_images", settings, inputs, [given.table, given.summary])


if __name__ == "__main__":
    execute(main)
