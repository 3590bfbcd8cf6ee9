"""Choose reference jets: k medoids for every k, the elbow, random sets to compare with."""

from __future__ import annotations

from pathlib import Path

from oddjet.images.distances import read_distances
from oddjet.images.reference_jets import find_references, write_references
from oddjet.images.settings import MedoidSettings
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings, settings_argument

EXAMPLE = "python workflow/scripts/find_medoids.py --distances distances.h5 --output medoids.json"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--distances", type=Path, required=True, help="table that compute_distances wrote")
    arguments.add_argument("--output", type=Path, required=True, help="reference jets to write (JSON)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, MedoidSettings)
    write_references(given.output, find_references(read_distances(given.distances), settings))
    write_origin("find_medoids", settings.model_dump_json(), [given.distances], [given.output])


if __name__ == "__main__":
    execute(main)
