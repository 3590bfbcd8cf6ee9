"""AUC and background rejection over the grid as a submission to HEPData, one table a method and figure of merit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from oddjet.axes import HeatmapSettings, axes_of
from oddjet.errors import ConfigError, EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import in_words, of_training
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.io.atomic import atomic_path
from oddjet.messages import missing_package

REJECTIONS = {"rejection_at_0.3": "0.3", "rejection_at_0.5": "0.5"}


def write_submission(
    output: Path, aucs: Sequence[AucRow], merits: Sequence[MeritRow], cuts: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[str]:
    """Write a submission, unless HEPData's own validator refuses it.

    Parameters
    ----------
    output : Path
        Archive that HEPData takes, `submission.tar.gz`.
    aucs : sequence of AucRow
        Of any methods; a table a method with a row a signal on axes and seed.
    merits : sequence of MeritRow
        Of which 1 / background efficiency at fixed signal efficiency is taken.
    cuts : mapping of str to sequence of mapping
        Thresholds by method, as in the card of a bundle; may be empty.

    Returns
    -------
    list of str
        Names of the tables.

    Raises
    ------
    ConfigError
        hepdata_lib or hepdata-validator is missing.
    EvaluationError
        No signal is on axes, or the submission is not valid.
    """
    try:
        from hepdata_lib import Submission
        from hepdata_validator.full_submission_validator import FullSubmissionValidator
    except ImportError as error:
        raise ConfigError(f"no submission: {missing_package(error) or error}") from error
    on_grid = [row for row in of_training(aucs) if row.point and not math.isnan(row.auc)]
    if not on_grid:
        raise EvaluationError("no signal with an AUC is on axes, so there is no table for HEPData")
    submission, names = Submission(), []
    for table in [
        *_tables(on_grid, "AUC", lambda row: (row.auc, row.auc_error)),
        *(
            table
            for name, at in REJECTIONS.items()
            for table in _tables(
                [r for r in merits if r.merit == name and r.point and math.isfinite(r.value)],
                f"Background rejection at signal efficiency {at}",
                lambda row: (row.value, row.error),
            )
        ),
        *(_cut_table(method, rows) for method, rows in cuts.items()),
    ]:
        submission.add_table(table)
        names.append(table.name)
    with TemporaryDirectory() as name, chdir(name):  # the library writes its archive into the current folder
        submission.create_files("tables", validate=False)
        validator = FullSubmissionValidator()
        if not validator.validate(directory="tables"):
            messages = [str(one) for found in validator.get_messages().values() for one in found]
            raise EvaluationError(f"{output}: HEPData does not take this submission: {' '.join(messages)[:300]}")
        archive = Path("submission.tar.gz").read_bytes()
    with atomic_path(output) as path:
        path.write_bytes(archive)
    return names


def _tables(rows: Sequence[Any], quantity: str, value: Callable[[Any], tuple[float, float]]) -> list[Any]:
    """Return a table a method: the signals' axes and the seed as independent variables, the quantity with its error."""
    from hepdata_lib import Table, Uncertainty, Variable

    tables = []
    for method in dict.fromkeys(row.method for row in rows):
        every = [row for row in rows if row.method == method]
        own = [row for row in every if math.isfinite(value(row)[1])]
        if not own:
            continue
        table, axes = Table(f"{quantity}, {method}"[:64]), axes_of(row.point for row in own)
        table.description = f"{quantity} of the method {method}, by {', '.join(axes)} and seed"
        if quantity == "AUC":
            table.description += f", against {in_words(own[0].background)}"
        table.description += f"; {len(every) - len(own)} values without an error are left out."
        table.location = "oddjet"
        table.keywords["observables"] = ["AUC" if quantity == "AUC" else "1/EFF"]
        for name in axes:
            axis = Variable(name, is_independent=True, is_binned=False, units=HeatmapSettings().unit(name))
            axis.values = [row.point[name] for row in own]
            table.add_variable(axis)
        seeds = Variable("seed", is_independent=True, is_binned=False)
        seeds.values = [row.seed for row in own]
        table.add_variable(seeds)
        found = [value(row) for row in own]
        variable = Variable(quantity, is_independent=False, is_binned=False)
        variable.values = [one for one, _ in found]
        error = Uncertainty("stat", is_symmetric=True)
        error.values = [one for _, one in found]
        variable.add_uncertainty(error)
        table.add_variable(variable)
        tables.append(table)
    return tables


def _cut_table(method: str, rows: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401  hepdata_lib has no types
    """Return the thresholds over all jets of a method."""
    from hepdata_lib import Table, Variable

    known = [row for row in rows if row["pt_min"] is None and row["score"] is not None]
    table = Table(f"Thresholds, {method}"[:64])
    table.description = f"Score of the method {method} above which a share of the background passes."
    table.location = "oddjet"
    table.keywords["observables"] = ["EFF"]
    axis = Variable("background efficiency", is_independent=True, is_binned=False)
    axis.values = [row["efficiency"] for row in known]
    cut = Variable("threshold", is_independent=False, is_binned=False)
    cut.values = [row["score"] for row in known]
    table.add_variable(axis)
    table.add_variable(cut)
    return table
