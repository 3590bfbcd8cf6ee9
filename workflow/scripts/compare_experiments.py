"""Set methods side by side: validation metric, fit of the background, AUC by seed and of the ensemble, stability."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from oddjet.detectors.file import load
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.ensembles import ensemble_auc, members_of
from oddjet.evaluation.experiments import Experiment, chosen_values, summarise, to_markdown
from oddjet.evaluation.history import EpochAucRow, SnapshotRow, read_history
from oddjet.evaluation.score_table import read_method
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.io.tables import read_table
from oddjet.program import execute, parser
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/compare_experiments.py --results results/jets --methods wnae mahalanobis \\
      --groups seeds-1-2 --table experiments.csv --summary experiments.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--results", type=Path, default=Path("results/jets"), help="folder of an analysis")
    arguments.add_argument("--methods", nargs="+", required=True, help="methods, in the order of the table")
    arguments.add_argument("--groups", nargs="+", required=True, help="groups of seeds")
    titles_argument(arguments, approximate=True)
    arguments.add_argument("--table", type=Path, required=True, help="table to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="table to write (Markdown)")
    given = arguments.parse_args()
    path, titles = given.results / "dataset/validation.h5", read_titles(given)
    rows, inputs, modules, background = [], [path], set[str](), read_table(path, needed=["weight"])
    for method in given.methods:
        folders = [given.results / "models" / method / group for group in given.groups]
        scores = [given.results / "scores" / method / f"{group}.h5" for group in given.groups]
        auc, names = given.results / "auc" / f"{method}.csv", ("fit.csv", "history.csv", "auc_by_epoch.csv", "model.pt")
        fits, histories, epochs, files = ([folder / name for folder in folders] for name in names)
        models = [load(path) for path in files]
        modules |= {module for model in models for module in model.card.modules}
        trained = [path for path in (*histories, *epochs) if epochs[0].exists()]
        chosen = {s: e for path in scores for s, e in zip(*read_method(path)[1:], strict=True)}
        together = statistics.fmean(ensemble_auc(members_of(models, scores), background).values())
        fit, snapshots = read_rows(fits, SnapshotRow), read_rows(epochs, EpochAucRow) if trained else []
        values = chosen_values(read_history(histories), chosen) if trained else None
        rows.append(summarise(read_rows(auc, AucRow), together, fit, snapshots, values))
        inputs += [auc, *scores, *files, *fits, *trained]
    write_rows(given.table, rows, Experiment, digits=None)
    write_text(given.summary, to_markdown(rows, titles))
    settings = json.dumps({"methods": given.methods, "groups": given.groups, **titles.record()})
    write_origin("compare_experiments", settings, inputs, [given.table, given.summary], sorted(modules))


if __name__ == "__main__":
    execute(main)
