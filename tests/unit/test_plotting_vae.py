"""Tables and figures of the image VAE, from rows."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from oddjet.detectors.vae.settings import ANOMALY_METRICS
from oddjet.errors import FigureError
from oddjet.images.vae_results import LatentRow, VaeAucRow
from oddjet.io.csv import write_rows
from oddjet.io.tables import Column, write_table
from oddjet.plotting.vae import LossCurve, ScanPoint, draw_losses, draw_pairs, draw_scan
from oddjet.report.vae_figures import loss_curves
from oddjet.studies.vae_scan import Scanned
from oddjet.studies.vae_table import PAPER, write_vae_table
from programs import run_program
from score_tables import jets_of, write_scores

ROWS = [
    VaeAucRow("mse", 2, beta, 1, chosen, loss, 0.01, 0.5, "none", signal, metric, auc + beta, 0.01, 100, 200)
    for beta, chosen, loss in ((0.0, 0, 0.2), (0.25, 1, 0.1))
    for signal, auc in (("top", 0.6), ("w", 0.3))
    for metric in (ANOMALY_METRICS if chosen else ("loss",))
]
ROWS += [
    VaeAucRow("supervised", depth, math.nan, 1, 1, loss, 0.03, math.nan, "top", signal, "logit", auc, 0.02, 100, 200)
    for depth, loss, auc in ((1, 0.4, 0.7), (3, 0.3, 0.9))
    for signal in ("top", "w")
]
HISTORY = "mse/depth-2/seed-1/beta-0.25"
LATENT = [
    LatentRow("none", 0, 0.0, 1, "images", "wass1", 0.4, 66),
    LatentRow("mse", 2, 0.25, 1, "block-1", "wass1", 0.65, 66),
]


def lines(text: str, heading: str) -> list[list[str]]:
    part = text.split(heading)[1].split("\n#")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"][2:]


def test_the_papers_table_is_whole() -> None:
    """Every entry of its table 1: the columns add up as in the paper."""
    assert len(PAPER) == 12
    assert all(len(values) == len(ANOMALY_METRICS) == 6 for values in PAPER.values())
    assert sum(sum(values) for key, values in PAPER.items() if key[2] == "top") == pytest.approx(28.56)
    assert sum(sum(values) for key, values in PAPER.items() if key[2] == "w") == pytest.approx(18.24)


def test_the_table_has_the_chosen_beta_and_the_papers_numbers() -> None:
    text = write_vae_table(ROWS, LATENT)
    table = lines(text, "# Image VAE")
    assert len(table) == 6
    assert table[0] == ["MSE", "2", "0.25", "Loss", "0.850 ± 0.010 (0.83)", "0.550 ± 0.010 (0.65)"]
    assert table[5][3:] == ["Wass(2)", "0.850 ± 0.010 (0.81)", "0.550 ± 0.010 (0.54)"]
    # The depth with the lower validation loss; its transfer to the other signal beside it.
    assert lines(text, "## Supervised") == [
        ["top, **not converged**", "3", "0.900 ± 0.020 (0.94)", "0.900 ± 0.020 (0.86)"]
    ]
    assert lines(text, "## Trainings") == [
        ["MSE", "2", "0.25", "1", "0.1", "0.50", "1.0 %", "converged"],
        ["labels of top", "1", "", "1", "0.4", "", "3.0 %", "not converged: still fell by 3 %"],
        ["labels of top", "3", "", "1", "0.3", "", "3.0 %", "not converged: still fell by 3 %"],
    ]
    rows = [replace(row, of_mean_image=0.9) for row in ROWS]
    assert lines(write_vae_table(rows, LATENT), "# Image VAE")[0][0] == "MSE, **not converged**"
    assert lines(text, "## Distances inside the network") == [
        ["-", "-", "-", "images, MSE", "0.400"],
        ["MSE", "2", "0.25", "block-1", "0.650"],
    ]


def test_the_scan_has_a_panel_for_the_loss_and_each_signal() -> None:
    points = [
        ScanPoint(depth, beta, 0.1, {"top": (0.8, 0.01), "w": (0.4, 0.02)}) for depth in (1, 2) for beta in (0, 1e-7)
    ]
    figure = draw_scan(points, "mse", "Simulation")
    assert [axes.get_ylabel() for axes in figure.axes] == ["validation loss (background)", "AUC, top", "AUC, w"]
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["0", "1e-07"]
    assert [text.get_text() for text in figure.axes[2].get_legend().get_texts()] == ["1", "2"]
    # Small losses are shown in a power of ten that the label names.
    small = draw_scan([point._replace(validation_loss=2.5e-5) for point in points], "mse", "Simulation").axes[0]
    assert small.get_ylabel() == r"validation loss (background) [$10^{-5}$]"
    assert small.lines[0].get_ydata() == pytest.approx([2.5, 2.5])
    with pytest.raises(FigureError, match="no VAE was trained with mae"):
        draw_scan([], "mae", "Simulation")


def pairs(names: tuple[str, ...]) -> np.ndarray:
    table = np.zeros(50, dtype=[(name, "f8") for name in names])
    generator = np.random.default_rng(1)
    for name in names:
        table[name] = generator.exponential(1, 50)
    return table


def test_pairs_are_drawn_with_their_correlation() -> None:
    table = pairs(("mse", "wass1", "wass0p5", "block-1", "latent 0", "latent 1e-07"))
    figure = draw_pairs(table, "1e-07", "Simulation")
    shown = [axes for axes in figure.axes if axes.axison]
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in shown] == [
        ("MSE between images", "Wass(1)"),
        (r"latent, $\beta$ = 0", "Wass(1)"),
        (r"latent, $\beta$ = 1e-07", "Wass(1)"),
        ("after block 1", "Wass(1)"),
        (r"latent, $\beta$ = 1e-07", "Wass(1)"),
        ("after block 1", "Wass(0.5)"),
        (r"latent, $\beta$ = 1e-07", "Wass(0.5)"),
    ]
    assert shown[0].get_title() == f"correlation {np.corrcoef(table['mse'], table['wass1'])[0, 1]:.3f}"
    with pytest.raises(FigureError, match="no transport distance"):
        draw_pairs(pairs(("mse", "mae", "latent 0")), "0", "Simulation")


def write_history(folder: Path) -> Path:
    path = folder / HISTORY / "history.csv"
    path.parent.mkdir(parents=True)
    path.write_text("seed,epoch,loss_train,loss_validation\n1,1,0.4,0.3\n1,2,0.3,0.15\n1,3,0.2,0.1\n")
    return path


def test_the_scripts_make_table_and_figures(tmp_path: Path) -> None:
    ended = {"1": {"validation_loss": 0.1, "late_fall": 0.01, "of_mean_image": 0.5}}
    record = {
        f"vae_{name}": asdict(Scanned("mse", 2, 0.25, 1, name.removesuffix("_0.25"), ended))
        for name in ("loss_0.25", *ANOMALY_METRICS[1:])
    }
    (tmp_path / "record.json").write_text(json.dumps(record))
    jets = {name: jets_of(np.full(4, 600.0), np.arange(4.0)) for name in ("background", "top", "w")}
    # Of sixteen pairs 13 and a half are in order: half of a pair at the same score.
    scores = {"background": [1, 2, 3, 4], "top": [4, 5, 6, 2.5], "w": [1, 2, 3, 4]}
    columns = {name: np.array(values, float)[:, None] for name, values in scores.items()}
    tables = [write_scores(tmp_path / f"{name}.h5", name, jets, columns) for name in record]
    write_rows(tmp_path / "auc.csv", [row for row in ROWS if row.labelled != "none"], VaeAucRow)
    write_rows(tmp_path / "latent.csv", LATENT, LatentRow)
    table = pairs(("mse", "wass1", "block-1", "latent 0.25"))
    columns = [Column(name, "f8", "1", "distance") for name in table.dtype.names]
    write_table(tmp_path / "pairs.h5", columns, table, {"chosen": "0.25"})
    commands = (
        [
            *("summarize_vae", "--scores", *(path.name for path in tables), "--records", "record.json"),
            *("--ceilings", "auc.csv", "--latent", "latent.csv", "--table", "vae.csv", "--summary", "vae.md"),
        ],
        [
            *("plot_vae", "--table", "vae.csv", "--pairs", "pairs.h5", "--histories", f"{HISTORY}/history.csv"),
            *("--losses", "h.pdf", "--scan", "s.pdf", "s.png", "--latent", "l.pdf"),
        ],
    )
    write_history(tmp_path)
    for name, *arguments in commands:
        given = [text if text.startswith("--") else str(tmp_path / text) for text in arguments]
        done = run_program([f"workflow/scripts/{name}.py", *given])
        assert done.returncode == 0, done.stderr
    assert lines((tmp_path / "vae.md").read_text(), "# Image VAE")[5][4].startswith("0.844 ± ")
    assert (tmp_path / "s.pdf").read_bytes().startswith(b"%PDF")
    assert all((tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF") for name in "hl")


def test_losses_are_those_of_the_chosen_beta_beside_the_mean_images(tmp_path: Path) -> None:
    (curve,) = loss_curves(ROWS, [write_history(tmp_path)])
    # The row of beta = 0.25 says a loss of 0.1, half of the mean image's.
    assert curve == LossCurve("mse", 2, 1, [1, 2, 3], [0.4, 0.3, 0.2], [0.3, 0.15, 0.1], 0.2)
    (axes,) = draw_losses([curve, curve._replace(depth=1)], "Simulation").axes
    assert [line.get_ydata()[-1] for line in axes.lines] == [0.2, 0.1, 0.2, 0.1, 0.2]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["1", "2", "mean image"]
    with pytest.raises(FigureError, match=r"none is of mse/depth-2/seed-1/beta-0\.25"):
        loss_curves(ROWS, [])
    (tmp_path / HISTORY / "history.csv").write_text("seed,epoch,loss_train\n1,1,0.4\n")
    with pytest.raises(FigureError, match="not the losses of one network"):
        loss_curves(ROWS, [tmp_path / HISTORY / "history.csv"])
    with pytest.raises(FigureError, match="no VAE was trained"):
        draw_losses([], "Simulation")
