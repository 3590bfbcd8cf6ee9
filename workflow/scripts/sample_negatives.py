"""Draw the negative samples of every snapshot of a normalized autoencoder, as its training drew them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from oddjet.detectors.autoencoder.own_chains import require_negatives, rounds_of
from oddjet.detectors.file import snapshots
from oddjet.errors import naming
from oddjet.evaluation.negatives import write_negatives
from oddjet.io.tables import read_table
from oddjet.program import execute, parser, progress
from oddjet.provenance.attributes import attributes
from oddjet.transport.laws import draw_rows

EXAMPLE = """python workflow/scripts/sample_negatives.py --snapshots results/jets/models/wnae/seeds-1-2/snapshots.pt \\
      --train results/jets/dataset/train.h5 --output negatives.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--snapshots", type=Path, required=True, help="snapshots.pt that train_model wrote")
    arguments.add_argument("--train", type=Path, required=True, help="training jets: how many were drawn an epoch")
    arguments.add_argument("--chains", type=int, default=1000, help="samples a seed and snapshot (default: 1000)")
    arguments.add_argument("--output", type=Path, required=True, help="table to write (HDF5)")
    given = arguments.parse_args()
    kept = list(snapshots(given.snapshots))
    card = kept[0][1].card
    with naming(given.snapshots):
        require_negatives(card.settings)
    table = read_table(given.train, needed=[*card.scaler.names, "weight"])
    rounds = rounds_of(card.settings.training.batch_size, card.settings.replay, len(table))
    # Chains of contrastive divergence start at jets; for all others the jets are a number.
    rows = draw_rows(np.maximum(table["weight"], 0.0), min(given.chains, len(table)))
    jets = card.scaler.transform(table[rows])
    followed = progress(kept, total=len(kept), description=f"negative samples of {card.method}")
    settings = json.dumps({"chains": given.chains, "rounds_per_epoch": rounds})
    record = attributes("sample_negatives", settings, [given.snapshots, given.train])
    write_negatives(given.output, followed, jets, rounds, record)


if __name__ == "__main__":
    execute(main)
