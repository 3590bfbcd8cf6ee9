"""Mix signal jets into the background training table, for the contamination scan alone."""

from __future__ import annotations

from pathlib import Path

from oddjet.dataset.contamination import contaminate
from oddjet.dataset.settings import ContaminationSettings
from oddjet.evaluation.signals import parse_signals
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/contaminate_dataset.py --train results/jets/dataset/train.h5 \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5 \\
      --mixed 0=train_signal-0.h5 0.1=train_signal-0p1.h5 --held-out-dir signals"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--train", type=Path, required=True, help="background training table")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--mixed", nargs="+", required=True, metavar="SHARE=FILE", help="training tables to write")
    arguments.add_argument(
        "--held-out-dir", type=Path, required=True, help="folder of NAME.h5, the signal jets to test on"
    )
    given = arguments.parse_args()
    settings = read_settings(given.settings, ContaminationSettings)
    signals = {signal.name: signal.files for signal in parse_signals(given.signals)}
    mixed = {float(share): Path(path) for share, path in (text.split("=", 1) for text in given.mixed)}
    held_out = {name: given.held_out_dir / f"{name}.h5" for name in signals}
    inputs = [given.train, *(path for files in signals.values() for path in files)]
    record = attributes("contaminate_dataset", settings.model_dump_json(), inputs)
    contaminate(given.train, signals, mixed, held_out, settings, record)


if __name__ == "__main__":
    execute(main)
