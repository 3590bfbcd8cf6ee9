"""Measure how far test jets are from the reference jets of a sample and from its average image."""

from __future__ import annotations

from pathlib import Path

from oddjet.images.ensembles import measure_ensembles
from oddjet.images.settings import DistanceSettings
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/measure_ensembles.py --reference qcd \\
      --medoids results/images/medoids/qcd/wass1.json --images results/images/tables/qcd/train.h5 \\
      --tests qcd=results/images/tables/qcd/test.h5 top=results/images/tables/top/test.h5 --output ensembles.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--reference", required=True, help="name of the sample of the reference jets")
    arguments.add_argument("--medoids", type=Path, required=True, help="reference jets that find_medoids wrote")
    arguments.add_argument("--images", type=Path, required=True, help="images among which they were chosen")
    arguments.add_argument("--tests", nargs="+", required=True, metavar="NAME=FILE", help="test images of each sample")
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: 1)")
    arguments.add_argument("--output", type=Path, required=True, help="distances to write (HDF5)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, DistanceSettings)
    tests = {name: Path(path) for name, _, path in (argument.partition("=") for argument in given.tests)}
    inputs = [given.medoids, given.images, *tests.values()]
    measure_ensembles(
        given.medoids,
        given.images,
        tests,
        given.output,
        reference=given.reference,
        root=settings.root,
        threads=given.threads,
        attributes=attributes("measure_ensembles", settings.model_dump_json(), inputs),
    )


if __name__ == "__main__":
    execute(main)
