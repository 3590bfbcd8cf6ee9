"""Averages over seeds and grid, and the summary table."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from markdown_cells import cells_of
from oddjet.axes import Axis, HeatmapSettings
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.summary import (
    SeedAverage,
    average,
    average_over_grid,
    average_over_seeds,
    check_same_jets,
    write_summary,
)
from oddjet.titles import Titles


def row(method: str, seed: int, r_inv: float, auc: float, error: float = 0.01) -> AucRow:
    signal = f"svj_mphi-2000_rinv-{r_inv}".replace(".", "p")
    return AucRow(
        method, seed, signal, {"m_phi": 2000.0, "r_inv": r_inv}, auc, error, 400 if r_inv == 0.1 else 350, 2800
    )


ROWS = [
    row("ae", 1, 0.1, 0.50, 0.010),
    row("ae", 1, 0.3, 0.40, 0.020),
    row("ae", 2, 0.1, 0.56, 0.012),
    row("ae", 2, 0.3, 0.42, 0.022),
    row("wnae", 1, 0.1, 0.90, 0.005),
    row("wnae", 1, 0.3, 0.80, 0.007),
]


MEANS = {"background": {"ae": SeedAverage(0.47, 0.008, 0.0283, 2), "wnae": SeedAverage(0.85, 0.003, 0.0, 1)}}


def test_the_uncertainty_is_statistics_and_spread_in_quadrature() -> None:
    found = average([0.50, 0.56], [0.010, 0.012])
    assert found.mean == pytest.approx(0.53)
    assert found.statistical == pytest.approx(0.011)
    assert found.spread == pytest.approx(0.06 / math.sqrt(2))
    assert found.uncertainty == pytest.approx(math.hypot(0.011, 0.06 / math.sqrt(2)))
    assert average([0.9], [0.005]).uncertainty == 0.005


def test_the_grid_mean_spreads_with_the_seeds_and_not_with_the_signals() -> None:
    found = average_over_grid(ROWS)["ae"]
    assert found.mean == pytest.approx(0.47)
    assert found.spread == pytest.approx((0.49 - 0.45) / math.sqrt(2))
    assert found.statistical == pytest.approx((0.015 + 0.017) / 2)


def test_an_axis_has_the_unit_of_the_configuration() -> None:
    titles = Titles(heatmap=HeatmapSettings(axes={"m_phi": Axis(unit="TeV")}))
    assert "Columns: m_phi (TeV), r_inv." in write_summary(ROWS, MEANS, {}, titles)


def test_the_summary_of_a_run() -> None:
    text = write_summary(ROWS, MEANS, {"ae": {1: 300, 2: 400}})
    assert text.splitlines()[:9] == [
        "# AUC, method by signal",
        "",
        "2 signals (350 to 400 jets each), 2800 background test jets. Columns: m_phi (GeV), r_inv.",
        "",
        "| method      | seeds |   epochs | mean over grid |     2000, 0.1 |     2000, 0.3 |",
        "|-------------|------:|---------:|---------------:|--------------:|--------------:|",
        "| AE          |     2 | 300, 400 |  0.470 ± 0.029 | 0.530 ± 0.044 | 0.410 ± 0.025 |",
        "| WNAE        |     1 |        - |  0.850 ± 0.003 | 0.900 ± 0.005 | 0.800 ± 0.007 |",
        "| signal jets |       |          |                |           400 |           350 |",
    ]
    assert "never flipped" in text
    assert "bootstrap of events over the whole grid" in text
    averaged = write_summary(ROWS, None, {"ae": {1: 300, 2: 400}})
    assert "0.470 ± 0.032" in averaged
    assert "an upper bound" in averaged
    assert "bootstrap" not in averaged
    assert "a method with one seed has the statistical error alone" in text


def test_approximate_transport_is_labelled() -> None:
    text = write_summary(ROWS, MEANS, {}, Titles(approximate=("wnae",)))
    assert [line.split(" |")[0] for line in text.splitlines()[6:8]] == ["| AE                ", "| WNAE (approximate)"]
    assert "(approximate): the loss is Sinkhorn's divergence and not exact transport" in text
    assert "pproximate" not in write_summary(ROWS, MEANS, {})


def test_a_seed_without_an_auc_is_a_dash_and_named() -> None:
    rows = [replace(ROWS[0], auc=math.nan, auc_error=math.nan), *ROWS[1:]]
    lines = write_summary(rows, {"background": average_over_grid(rows)}, {}).splitlines()
    assert [cell.strip() for cell in lines[6].strip("|").split("|")] == ["AE", "2", "-", "-", "0.410 ± 0.025"]
    assert "AE, seed 1: no AUC of 1 signal, so a dash for the method." in lines
    assert math.isnan(average_over_seeds(rows)["ae"][ROWS[0].signal].mean)
    assert "no AUC" not in write_summary(ROWS, MEANS, {})


def test_the_summary_without_epochs_has_no_such_column() -> None:
    text = write_summary(ROWS[:4], MEANS, {})
    assert "epochs" not in text.splitlines()[4]
    assert "with one seed" not in text


def test_signals_off_the_grid_and_doubled_points_go_by_their_names() -> None:
    rows = [
        replace(ROWS[0], signal="svj_mphi-2000_rinv-0p1_mdark-20"),
        replace(ROWS[0], signal="svj_mphi-2000_rinv-0p1_mdark-40"),
        replace(ROWS[0], signal="odd", point={}),
    ]
    head = cells_of(write_summary(rows, {"background": average_over_grid(rows)}, {}))[0]
    assert head[-3:] == ["svj_mphi-2000_rinv-0p1_mdark-20", "svj_mphi-2000_rinv-0p1_mdark-40", "odd"]


def test_rows_that_cannot_stand_side_by_side_are_refused() -> None:
    with pytest.raises(EvaluationError, match="method ae, seed 1, signal svj_mphi-2000_rinv-0p1 comes twice"):
        average_over_seeds([*ROWS, ROWS[0]])
    with pytest.raises(EvaluationError, match="method ae has no AUC of signal svj_mphi-2000_rinv-0p3 for seed 2"):
        average_over_seeds(ROWS[:3])
    with pytest.raises(
        EvaluationError, match="wnae, seed 1 was scored on 400 signal and 9 background jets, another one"
    ):
        check_same_jets([ROWS[0], replace(ROWS[4], n_background=9)])
