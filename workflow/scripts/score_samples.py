"""Score the background test jets and every signal with a trained method."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.detectors.file import load
from oddjet.evaluation.scores import Method, score_samples
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import files_of, parse_signals
from oddjet.io.weights import sample_factors
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/score_samples.py --model results/jets/models/ae/seeds-1-2/model.pt \\
      --background results/jets/dataset/test.h5 --output scores.h5 \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--model", type=Path, required=True, help="model.pt that train_model wrote")
    arguments.add_argument("--background", type=Path, required=True, help="test part of the background")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--points", metavar="JSON", help="name to [m_phi, r_inv], where a name does not hold them")
    arguments.add_argument("--output", type=Path, required=True, help="score table to write (HDF5)")
    arguments.add_argument("--cross-sections", type=json.loads, default={}, metavar="JSON", help="signal to pb")
    given = arguments.parse_args()
    settings = read_settings(given.settings, EvaluationSettings)
    signals = parse_signals(given.signals, given.points)
    model = load(given.model)
    inputs = [given.model, given.background, *(path for signal in signals for path in signal.files)]
    score_samples(
        model.score,
        Method(model.name, model.seeds, model.epochs),
        given.background,
        signals,
        given.output,
        settings,
        {
            **attributes("score_samples", settings.model_dump_json(), inputs, *model.card.modules),
            "cross_sections": json.dumps(given.cross_sections),
        },
        sample_factors(files_of(signals), given.cross_sections),
    )


if __name__ == "__main__":
    execute(main)
