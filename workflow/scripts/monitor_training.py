"""Compute the AUC of every snapshot of a training on the validation background; it looks back and chooses nothing."""

from __future__ import annotations

from pathlib import Path

from oddjet.detectors.file import snapshots
from oddjet.evaluation.history import EpochAucRow
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import check_counts, parse_signals
from oddjet.evaluation.snapshots import MonitoredJets
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress, read_settings, settings_argument

EXAMPLE = """python workflow/scripts/monitor_training.py --snapshots results/jets/models/ae/seeds-1-2/snapshots.pt \\
      --background results/jets/dataset/validation.h5 --output auc_by_epoch.csv \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--snapshots", type=Path, required=True, help="snapshots.pt that train_model wrote")
    arguments.add_argument("--background", type=Path, required=True, help="validation part of the background")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    arguments.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    given = arguments.parse_args()
    signals = parse_signals(given.signals, given.points)
    settings = read_settings(given.settings, EvaluationSettings)
    check_counts(signals, settings.minimum_signal_jets)
    kept = list(snapshots(given.snapshots))
    model = kept[0][1]
    jets = MonitoredJets(model.card.scaler.transform, given.background, signals)
    scorers = progress(
        ((epoch, snapshot.score_scaled) for epoch, snapshot in kept),
        total=len(kept),
        description=f"AUC of the snapshots of {model.name}",
    )
    write_rows(given.output, jets.auc_by_epoch(scorers, model.name, model.seeds), EpochAucRow)
    inputs = [given.snapshots, given.background, *(path for signal in signals for path in signal.files)]
    write_origin("monitor_training", settings.model_dump_json(), inputs, [given.output], model.card.modules)


if __name__ == "__main__":
    execute(main)
