"""Draw the average image and the medoids of a sample, and the elbow by which their number is chosen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from oddjet.images.reference_jets import read_references
from oddjet.images.store import read_images
from oddjet.io.atomic import atomic_path
from oddjet.io.origin import write_origin
from oddjet.plotting.images import ElbowCurves, draw_references
from oddjet.plotting.style import save_figure
from oddjet.program import execute, parser
from oddjet.transport.medoids import elbow

EXAMPLE = """python workflow/scripts/plot_references.py --medoids medoids.json --images train.h5 --sample qcd \\
      --output-pdf qcd.pdf --output-png qcd.png"""
SHOWN = 3


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--medoids", type=Path, required=True, help="reference jets that find_medoids wrote")
    arguments.add_argument("--images", type=Path, required=True, help="images among which they were chosen")
    arguments.add_argument("--sample", required=True, help="name of the sample, for the title")
    arguments.add_argument("--label", default="Simulation", help="words above the left corner (default: %(default)s)")
    arguments.add_argument("--output-pdf", type=Path, required=True, help="figure to write")
    arguments.add_argument("--output-png", type=Path, required=True, help="the same figure to write")
    given = arguments.parse_args()
    references, images = read_references(given.medoids), read_images(given.images).sparse
    medoids = references.medoids[SHOWN - 1]
    pictures = {f"{given.sample}, average": images.mean().dense()[0]}
    for number, picture in enumerate(images.take(np.array(medoids)).dense(), start=1):
        pictures[f"medoid {number} of {len(medoids)}"] = picture
    histograms = list(zip(references.histograms, references.largest, strict=True))
    fitted = elbow(references.peaks)
    corners = np.array([1.0, fitted.point, len(references.peaks)])
    lines = (corners.tolist(), fitted.value(corners).tolist())
    curves = ElbowCurves(histograms, references.peaks, lines, references.elbow)
    figure = draw_references(pictures, images.side, curves, f"{given.sample}, {references.metric}", given.label)
    for output in (given.output_pdf, given.output_png):
        with atomic_path(output) as path:
            save_figure(figure, path)
    settings = json.dumps({"label": given.label})
    write_origin("plot_references", settings, [given.medoids, given.images], [given.output_pdf, given.output_png])


if __name__ == "__main__":
    execute(main)
