"""Draw the features that the models see, of the test background and of signals, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from oddjet.evaluation.backgrounds import title_of_training
from oddjet.evaluation.curves import shown_signals
from oddjet.evaluation.signals import parse_files, parse_signals
from oddjet.io.tables import read_columns, read_table
from oddjet.plotting.features import FeaturePanel, draw_features
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, jets_in_words, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_features.py --background results/jets/dataset/test.h5 \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5 --columns tau2 --output tau2.pdf"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--background", type=Path, required=True, help="test part of the background")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE...]")
    arguments.add_argument("--data", nargs="*", default=[], metavar="NAME=FILE[,FILE...]", help="drawn as points")
    arguments.add_argument("--points", help="JSON: name to {axis: value}, where the names do not say it")
    arguments.add_argument("--columns", nargs="+", required=True, help="features to draw")
    titles_argument(arguments, methods=False, samples=True, axes=True)
    figure_arguments(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    background = title_of_training(given.background, titles)
    signals = {signal.name: signal for signal in parse_signals(given.signals, given.points)}
    words = shown_signals({name: signal.point for name, signal in signals.items()}, titles.heatmap, titles)
    files = {background: (given.background,), **{words[name]: signals[name].files for name in words}}
    data = {titles.sample(name): paths for name, paths in parse_files("--data", given.data).items()}
    columns = [*given.columns, "weight"]
    tables = {name: [read_table(path, columns) for path in paths] for name, paths in (files | data).items()}
    units = {column.name: column.unit for column in read_columns(given.background)}
    panels = [
        FeaturePanel(name, units[name], *({key: _joined(tables[key], name) for key in kind} for kind in (files, data)))
        for name in given.columns
    ]
    jets = {name: sum(map(len, parts)) for name, parts in tables.items()}
    note = jets_in_words({name: [jets.pop(name)] for name in (background, *data)}, jets)
    figure = draw_features(panels, given.label, "before scaling")
    settings = {"label": given.label, "samples": titles.samples, "heatmap": given.heatmap}
    inputs = [path for paths in (files | data).values() for path in paths]
    write_figure("plot_features", figure, given.output, settings, inputs, f"{note} Distributions of unit area.")


def _joined(parts: list[np.ndarray], name: str) -> tuple[np.ndarray, ...]:
    return tuple(np.concatenate([part[column] for part in parts]) for column in (name, "weight"))


if __name__ == "__main__":
    execute(main)
