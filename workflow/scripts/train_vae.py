"""Train one image VAE on background jets: one metric, number of down-samplings and weight of the KLD."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from oddjet.detectors.vae.settings import Metric, VaeSettings
from oddjet.detectors.vae.train import VaeRun, train_vae
from oddjet.program import execute, parser, read_settings, settings_argument

EXAMPLE = """python workflow/scripts/train_vae.py --metric mse --depth 2 --beta 1e-7 --output-dir vae \\
      --train results/images/tables/qcd/train.h5 --validation results/images/tables/qcd/validation.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--metric", choices=get_args(Metric), required=True, help="distance of the training")
    arguments.add_argument("--depth", type=int, required=True, help="number of down-samplings")
    arguments.add_argument("--beta", type=float, required=True, help="weight of the KLD")
    for part in ("train", "validation"):
        arguments.add_argument(f"--{part}", type=Path, required=True, help=f"{part} images of background jets")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of model.pt and history.csv")
    given = arguments.parse_args()
    settings = read_settings(given.settings, VaeSettings)
    train_vae(VaeRun(given.metric, given.depth, given.beta), settings, given.train, given.validation, given.output_dir)


if __name__ == "__main__":
    execute(main)
