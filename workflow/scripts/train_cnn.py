"""Train the supervised network on one signal against background, and test it on every signal."""

from __future__ import annotations

from pathlib import Path

from oddjet.detectors.vae.classifier import LabelledFiles, train_classifier
from oddjet.detectors.vae.settings import VaeSettings
from oddjet.images.store import read_images
from oddjet.images.vae_results import VaeAucRow
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.studies.image_classifier import classifier_rows
from oddjet.studies.vae_convergence import late_fall

EXAMPLE = """python workflow/scripts/train_cnn.py --labelled top --depth 3 --output-dir cnn \\
      --folders qcd=results/images/tables/qcd top=results/images/tables/top w=results/images/tables/w"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--labelled", required=True, help="the signal that is trained on")
    arguments.add_argument("--depth", type=int, required=True, help="number of down-samplings")
    arguments.add_argument(
        "--folders",
        nargs="+",
        required=True,
        metavar="NAME=FOLDER",
        help="folders with train.h5, validation.h5 and test.h5 of each sample, the background first",
    )
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of model.pt, history.csv and auc.csv")
    given = arguments.parse_args()
    settings = read_settings(given.settings, VaeSettings)
    folders = {name: Path(folder) for name, folder in (text.split("=", 1) for text in given.folders)}
    files = {
        name: LabelledFiles(folders[name] / "train.h5", folders[name] / "validation.h5")
        for name in (next(iter(folders)), given.labelled)
    }
    samples = {name: folder / "test.h5" for name, folder in folders.items()}
    network, loss = train_classifier(given.labelled, given.depth, settings, files, given.output_dir)
    batches = {name: read_images(path) for name, path in samples.items()}
    fall = late_fall(given.output_dir / "history.csv")
    rows = classifier_rows(network, given.labelled, given.depth, settings.seed, loss, fall, batches)
    write_rows(given.output_dir / "auc.csv", rows, VaeAucRow)
    inputs = [*(path for pair in files.values() for path in pair), *samples.values()]
    write_origin("train_cnn", settings.model_dump_json(), inputs, [given.output_dir / "auc.csv"])


if __name__ == "__main__":
    execute(main)
