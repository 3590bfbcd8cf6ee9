"""Train boosted trees on labelled signal: what supervision reaches on the same features, as a ceiling."""

from __future__ import annotations

from pathlib import Path

from oddjet.dataset.scaler_file import read_scaler
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.signals import parse_signals
from oddjet.evaluation.summary import write_summary
from oddjet.io.atomic import write_text
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser
from oddjet.studies.ceilings import ceiling_rows

EXAMPLE = """python workflow/scripts/train_ceilings.py --train results/jets/dataset/train.h5 \\
      --test results/jets/dataset/test.h5 --scaler results/jets/dataset/scaler.json --seeds 1 2 \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5 \\
      --table ceilings.csv --summary ceilings.md"""
OPENING = """\
Supervised: these trees were trained on signal, on other events than they are tested on. A ceiling for what the
features hold, not an anomaly method. `supervised_trees` are trained for each signal by itself,
`supervised_trees_pooled` for all of them.

"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    for part in ("train", "test"):
        arguments.add_argument(f"--{part}", type=Path, required=True, help=f"the {part} table of background jets")
    arguments.add_argument("--scaler", type=Path, required=True, help="scaler.json of the dataset: names the features")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    arguments.add_argument("--seeds", type=int, nargs="+", required=True, help="one division of the signal each")
    arguments.add_argument("--table", type=Path, required=True, help="table to write (CSV), one row a seed and signal")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    given = arguments.parse_args()
    signals = parse_signals(given.signals, given.points)
    rows = ceiling_rows((given.train, given.test), signals, read_scaler(given.scaler).names, given.seeds)
    write_rows(given.table, rows, AucRow)
    write_text(given.summary, OPENING + write_summary(rows, None, {}))
    inputs = [given.train, given.test, given.scaler, *(path for signal in signals for path in signal.files)]
    write_origin("train_ceilings", "{}", inputs, [given.table, given.summary])


if __name__ == "__main__":
    execute(main)
