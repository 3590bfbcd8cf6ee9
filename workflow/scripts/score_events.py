"""Score whole events with the autoencoders of one method, all its seeds in one table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from oddjet.detectors.file import load
from oddjet.events.layout import iterate_events
from oddjet.events.scores import BACKGROUND, write_scores
from oddjet.events.table import flatten
from oddjet.program import execute, parser
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/score_events.py --models results/events/models/ae/seeds-1-2/model.pt \\
      --background background_test.h5 --signals a_4l=a_4l.h5 --output scores.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--models", nargs="+", type=Path, required=True, help="model.pt of each group of seeds")
    arguments.add_argument("--background", type=Path, required=True, help="test events of the background")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE", help="events of the signals")
    arguments.add_argument("--output", type=Path, required=True, help="score table to write (HDF5)")
    given = arguments.parse_args()
    samples = {BACKGROUND: given.background}
    samples.update((name, Path(file)) for name, file in (one.split("=", 1) for one in given.signals))
    models = [load(path) for path in given.models]
    scaler = models[0].card.scaler
    scores = {}
    for name, path in samples.items():
        pieces = [scaler.transform(flatten(events)) for events in iterate_events(path)]
        scaled = np.concatenate(pieces) if pieces else np.zeros((0, len(scaler.names)), np.float32)
        scores[name] = np.concatenate([model.score_scaled(scaled) for model in models], axis=1)
    write_scores(
        given.output,
        models[0].name,
        scores,
        attributes("score_events", "{}", [*given.models, *samples.values()]),
        [seed for model in models for seed in model.seeds],
    )


if __name__ == "__main__":
    execute(main)
