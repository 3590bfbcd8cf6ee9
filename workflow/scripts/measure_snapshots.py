"""Measure every snapshot of a training: mean energies, and W2^2 between background, negative samples and a signal."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.detectors.file import snapshots
from oddjet.evaluation.history import BACKGROUND, SnapshotRow
from oddjet.evaluation.signals import parse_signals
from oddjet.evaluation.snapshots import measure_distances, measure_energies, read_jets, read_negatives
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress

EXAMPLE = """python workflow/scripts/measure_snapshots.py --snapshots results/jets/models/wnae/seeds-1-2/snapshots.pt \\
      --background results/jets/dataset/validation.h5 --negatives results/jets/negatives/wnae/seeds-1-2.h5 \\
      --signal svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5 --output snapshots.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--snapshots", type=Path, required=True, help="snapshots.pt that train_model wrote")
    arguments.add_argument("--background", type=Path, required=True, help="validation part of the background")
    arguments.add_argument("--signal", required=True, metavar="NAME=FILE[,FILE]", help="feature tables of one signal")
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    arguments.add_argument("--negatives", type=Path, help="table of sample_negatives; left out: energies alone")
    arguments.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    given = arguments.parse_args()
    (signal,) = parse_signals([given.signal], given.points)
    kept = list(snapshots(given.snapshots))
    model = kept[0][1]
    method, scaler = model.name, model.card.scaler
    background, jets = (read_jets(paths, scaler.transform) for paths in ([given.background], signal.files))
    scorers = progress(
        ((epoch, snapshot.score_scaled) for epoch, snapshot in kept), total=len(kept), description=f"energy {method}"
    )
    rows = list(measure_energies(scorers, method, model.seeds, {BACKGROUND: background, signal.name: jets}))
    inputs = [given.snapshots, given.background, *signal.files]
    if given.negatives is not None:
        negatives = read_negatives([given.negatives], scaler.names)
        rows += measure_distances(negatives, method, background, (signal.name, jets))
        inputs.append(given.negatives)
    write_rows(given.output, rows, SnapshotRow)
    write_origin("measure_snapshots", json.dumps({"signal": signal.name}), inputs, [given.output])


if __name__ == "__main__":
    execute(main)
