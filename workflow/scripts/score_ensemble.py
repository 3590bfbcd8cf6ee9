"""Average the standardised scores of the seeds of one or several methods: a score table of a method of its own."""

from __future__ import annotations

from pathlib import Path

from oddjet.detectors.file import load
from oddjet.errors import EvaluationError
from oddjet.evaluation.ensembles import members_of, score_ensemble
from oddjet.evaluation.settings import MeanSettings
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/score_ensemble.py --method wnae_ensemble \\
      --settings '{"kind": "mean", "of": "wnae"}' --models results/jets/models/wnae/seeds-1-2/model.pt \\
      --scores results/jets/scores/wnae/seeds-1-2.h5 --background results/jets/dataset/validation.h5 \\
      --output ensemble.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--method", required=True, help="name of the ensemble, for the tables")
    arguments.add_argument("--models", nargs="+", type=Path, required=True, help="model.pt of every group of seeds")
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="their score tables, in that order")
    arguments.add_argument(
        "--background", type=Path, required=True, help="validation part of the background: means and deviations"
    )
    arguments.add_argument("--output", type=Path, required=True, help="score table to write (HDF5)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, MeanSettings)
    models = [load(path) for path in given.models]
    names = sorted({model.name for model in models})
    if names != sorted(settings.of):
        raise EvaluationError(f"--models are of {', '.join(names)}, and the ensemble is of {', '.join(settings.of)}")
    members = members_of(models, given.scores)
    inputs = [*given.models, *given.scores, given.background]
    provenance = attributes(
        "score_ensemble",
        settings.model_dump_json(),
        inputs,
        *sorted({module for model in models for module in model.card.modules}),
    )
    score_ensemble(given.method, members, given.background, given.output, provenance)


if __name__ == "__main__":
    execute(main)
