"""Score background test jets and every signal by how far their images are from their reconstruction by a VAE."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.detectors.vae.scores import VaeDetector
from oddjet.detectors.vae.settings import VaeMethod
from oddjet.evaluation.scores import Method, score_samples
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import files_of, parse_signals
from oddjet.images.store import ImageLibrary
from oddjet.io.weights import sample_factors
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/score_grid_vae.py --method image_vae --seeds 1 2 \\
      --settings '{"kind": "vae", "anomaly": "mae"}' \\
      --models results/jets/models/image_vae/seed-*/*/model.pt --images results/jets/images/*/*.h5 \\
      --background results/jets/dataset/test.h5 --output scores.h5 \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--evaluation", metavar="JSON", help="settings of the evaluation (default: built-in)")
    arguments.add_argument("--method", required=True, help="name of the method, for the tables")
    arguments.add_argument("--seeds", type=int, nargs="+", required=True, help="each has its own models")
    arguments.add_argument("--models", type=Path, nargs="+", required=True, help="model.pt of every seed and beta")
    arguments.add_argument("--images", type=Path, nargs="+", required=True, help="files of make_grid_images")
    arguments.add_argument("--background", type=Path, required=True, help="test part of the background")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--points", metavar="JSON", help="name to [m_phi, r_inv], where a name does not hold them")
    arguments.add_argument("--cross-sections", type=json.loads, default={}, metavar="JSON", help="signal to pb")
    arguments.add_argument("--threads", type=int, default=1, help="threads (default: 1)")
    arguments.add_argument("--output", type=Path, required=True, help="score table to write (HDF5)")
    given = arguments.parse_args()
    settings = read_settings(given.settings or '{"kind": "vae"}', VaeMethod)
    evaluation = read_settings(given.evaluation, EvaluationSettings, "--evaluation")
    signals, seeds = parse_signals(given.signals, given.points), tuple(given.seeds)
    library = ImageLibrary(given.images)
    detector = VaeDetector(given.method, library, given.models, settings.anomaly, seeds, given.threads)
    inputs = [*given.models, *given.images, given.background, *(path for signal in signals for path in signal.files)]
    provenance = attributes("score_grid_vae", settings.model_dump_json(), inputs)
    provenance["cross_sections"] = json.dumps(given.cross_sections)
    method = Method(detector.name, detector.seeds, detector.epochs)
    factors = sample_factors(files_of(signals), given.cross_sections)
    score_samples(detector.score, method, given.background, signals, given.output, evaluation, provenance, factors)


if __name__ == "__main__":
    execute(main)
