"""Set trainings on different backgrounds side by side, against each background and signal: a table and a figure."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.axes import HeatmapSettings
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.matrix import Training, matrix_of, write_matrix
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.plotting.matrix import draw_matrix
from oddjet.program import execute, parser
from oddjet.report.figures import errors_in_words, figure_arguments, jets_of_rows, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/tabulate_matrix.py --auc results/jets/auc/wnae.csv results/jets/auc/wnae_qcd.csv \\
      --trainings '[["WNAE", "all"], ["WNAE", "qcd"]]' --summary matrix.md --output matrix.pdf matrix.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--auc", nargs="+", type=Path, required=True, help="AUC tables, one a method")
    arguments.add_argument(
        "--trainings", required=True, metavar="JSON", help="[method, what it was trained on] of each table, in words"
    )
    arguments.add_argument("--signal", help="signal of the figure (default: the first)")
    arguments.add_argument("--summary", type=Path, required=True, help="table to write (Markdown)")
    titles_argument(arguments, methods=False, samples=True)
    figure_arguments(arguments)
    given = arguments.parse_args()
    titles, trainings = read_titles(given), [Training(*words) for words in json.loads(given.trainings)]
    rows = {one: read_rows(path, AucRow) for one, path in zip(trainings, given.auc, strict=True)}
    matrix, points = matrix_of(rows), {row.signal: row.point for own in rows.values() for row in own}
    signal = given.signal or next(iter(matrix))
    if signal not in matrix:
        raise EvaluationError(f"--signal: there is no {signal}; the signals are {', '.join(matrix)}")
    panels: dict[str, dict[tuple[str, str], tuple[float, float]]] = {}
    for training, cells in matrix[signal].items():
        for background, cell in cells.items():
            words = training.method, training.in_words(titles)
            panels.setdefault(f"against {titles.sample(background)}", {})[words] = cell.mean, cell.uncertainty
    methods = [*dict.fromkeys(one.method for one in trainings)]
    columns = [*dict.fromkeys(one.in_words(titles) for one in trainings)]
    where = HeatmapSettings().words(points[signal]) or titles.sample(signal)
    figure = draw_matrix(panels, methods, columns, where, given.label)
    settings = {"label": given.label, "trainings": given.trainings, "signal": given.signal, "samples": titles.samples}
    shown = [row for own in rows.values() for row in own if row.signal == signal]
    note = f"{jets_of_rows(shown, titles)} {errors_in_words(len({row.seed for row in shown if row.seed}))}"
    write_figure("tabulate_matrix", figure, given.output, settings, given.auc, note)
    write_text(given.summary, write_matrix(matrix))
    write_origin("tabulate_matrix", json.dumps(settings), given.auc, [given.summary])


if __name__ == "__main__":
    execute(main)
