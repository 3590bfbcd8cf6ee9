"""Draw the average image and the medoids of a sample, and the elbow by which their number is chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from oddjet.images.reference_jets import read_references
from oddjet.images.store import read_images
from oddjet.plotting.images import ElbowCurves, draw_references
from oddjet.plotting.vae import TITLES as METRICS
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure
from oddjet.titles import default_title
from oddjet.transport.medoids import elbow

EXAMPLE = """python workflow/scripts/plot_references.py --medoids medoids.json --images train.h5 --sample qcd \\
      --output qcd.pdf qcd.png"""
SHOWN = 3


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--medoids", type=Path, required=True, help="reference jets that find_medoids wrote")
    arguments.add_argument("--images", type=Path, required=True, help="images among which they were chosen")
    arguments.add_argument("--sample", required=True, help="name of the sample, for the title")
    figure_arguments(arguments)
    given = arguments.parse_args()
    references, images = read_references(given.medoids), read_images(given.images).sparse
    medoids = references.medoids[SHOWN - 1]
    sample = default_title(given.sample)
    pictures = {f"{sample}, average": images.mean().dense()[0]}
    for number, picture in enumerate(images.take(np.array(medoids)).dense(), start=1):
        pictures[f"medoid {number} of {len(medoids)}"] = picture
    histograms = list(zip(references.histograms, references.largest, strict=True))
    fitted = elbow(references.peaks)
    corners = np.array([1.0, fitted.point, len(references.peaks)])
    lines = (corners.tolist(), fitted.value(corners).tolist())
    curves = ElbowCurves(histograms, references.peaks, lines, references.elbow, references.chance)
    title = f"{sample}, {METRICS.get(references.metric, references.metric)}"
    figure = draw_references(pictures, images.side, curves, title, given.label)
    note = f"Reference jets: chosen among {references.jets} {sample} training jets. p: of one line against two, F test."
    write_figure("plot_references", figure, given.output, {"label": given.label}, [given.medoids, given.images], note)


if __name__ == "__main__":
    execute(main)
