"""Signals on any named axes: which of them figures show, what these are called, and what does not fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from oddjet.axes import Axis, HeatmapSettings, check_points, groups_of, line_of, view_of
from oddjet.errors import AxesError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.curves import shown_signals
from oddjet.io.csv import read_rows, write_rows
from oddjet.report.method_figures import heatmap_of
from oddjet.titles import Titles
from programs import run_program

GRID = {f"{m:g}_{r:g}": {"m_phi": m, "r_inv": r} for m in (1000.0, 2000.0, 3000.0) for r in (0.1, 0.3, 0.5, 0.7)}
DARK = {
    f"{dark:g}_{alpha:g}_{m:g}": {"m_dark": dark, "alpha": alpha, "m_phi": m}
    for dark in (10.0, 20.0, 50.0)
    for alpha in (0.2, 0.4)
    for m in (1000.0, 2000.0)
}
OWN = {
    "near": {"m_dark": 10.0, "alpha": 0.2},
    "far": {"m_dark": 20.0, "alpha": 0.2},
    "strong": {"m_dark": 10.0, "alpha": 0.4},
}
APART = {"a": {"m_dark": 10.0, "alpha": 0.2}, "b": {"m_dark": 20.0, "alpha": 0.3}, "c": {"m_dark": 50.0, "alpha": 0.4}}
ALONG = {"a": {"m_dark": 10.0, "alpha": 0.2}, "b": {"m_dark": 20.0, "alpha": 0.2}, "c": {"m_dark": 50.0, "alpha": 0.2}}
NAMED = {"dark_pions": {}, "dark_photons": {}}


def rows(points: dict[str, dict[str, float]], *backgrounds: str) -> list[AucRow]:
    return [
        AucRow("ae", seed, name, point, round(0.4 + 0.05 * number + 0.02 * seed, 2), 0.02, 300, 900, background)
        for background in backgrounds or ("top",)
        for seed in (1, 2)
        for number, (name, point) in enumerate(points.items())
    ]


def figure_of(points: dict[str, dict[str, float]], *backgrounds: str, **settings: object):
    titles = Titles(samples={"dark_pions": "dark pions"}, heatmap=HeatmapSettings.model_validate(settings))
    return heatmap_of(rows(points, *backgrounds), "AE", titles, "Simulation")


@pytest.mark.parametrize(
    ("points", "axes", "fixed"),
    [
        (GRID, ("m_phi", "r_inv"), {}),
        (OWN, ("m_dark", "alpha"), {}),
        (ALONG, ("m_dark", None), {"alpha": 0.2}),
        (APART, (None, None), {}),
        (NAMED, (None, None), {}),
        ({"one": {"m_dark": 10.0}}, (None, None), {"m_dark": 10.0}),
        ({**OWN, "top": {}}, ("m_dark", "alpha"), {}),
    ],
)
def test_the_two_axes_with_most_values_are_shown(points, axes, fixed) -> None:
    view = view_of(points, HeatmapSettings())
    assert ((view.x, view.y), view.fixed) == (axes, fixed)
    assert set(view.signals) == {name for name, point in points.items() if point or points is NAMED}


def test_a_further_axis_is_a_panel_a_value_or_selected() -> None:
    view = view_of(DARK, HeatmapSettings())
    assert (view.x, view.y) == ("m_dark", "alpha")
    assert [panel for panel, _ in view.panels] == [{"m_phi": 1000.0}, {"m_phi": 2000.0}]
    assert all(len(names) == 6 for _, names in view.panels)
    view = view_of(DARK, HeatmapSettings(x="m_phi", y="m_dark", at={"alpha": 0.4}))
    assert (view.x, view.y, view.fixed, len(view.signals)) == ("m_phi", "m_dark", {"alpha": 0.4}, 6)
    # One named axis: the other one is that with most values.
    assert view_of(DARK, HeatmapSettings(y="m_phi")).x == "m_dark"
    assert view_of(DARK, HeatmapSettings(x="alpha")).y == "m_dark"
    assert view_of(DARK, HeatmapSettings(at={"m_phi": 1000, "alpha": 0.2})).y is None
    # What was asked for is drawn, however empty.
    assert view_of(APART, HeatmapSettings(x="alpha", y="m_dark")).y == "m_dark"


@pytest.mark.parametrize(
    ("points", "settings", "message"),
    [
        (OWN, {"x": "m_drak"}, "heatmap.x: there is no 'm_drak'; did you mean 'm_dark'? There are: m_dark, alpha"),
        (OWN, {"y": "r_inv"}, "heatmap.y: there is no 'r_inv'. There are: m_dark, alpha"),
        (OWN, {"at": {"alhpa": 0.2}}, "heatmap.at.alhpa: there is no 'alhpa'; did you mean 'alpha'? There are: m_da"),
        (OWN, {"at": {"m_dark": 15}}, "heatmap.at.m_dark: no signal is at 15; there are 10, 20"),
        (OWN, {"at": {"m_dark": 20, "alpha": 0.4}}, "heatmap.at: no signal is at m_dark 20, alpha 0.4; take values"),
        (OWN, {"x": "alpha", "at": {"alpha": 0.2}}, "heatmap: alpha is named twice, among x, y and at; name it once"),
        (OWN, {"x": "alpha", "y": "alpha"}, "heatmap: alpha is named twice, among x, y and at; name it once"),
    ],
)
def test_what_no_signal_has_is_named(points, settings, message: str) -> None:
    with pytest.raises(AxesError, match=f"^{re.escape(message)}") as error:
        view_of(points, HeatmapSettings.model_validate(settings))
    assert "\n" not in str(error.value)


def test_signals_that_share_a_point_or_lack_an_axis_are_named() -> None:
    check_points({**OWN, "top": {}})
    with pytest.raises(
        AxesError, match=r"^signals: near and again are both at m_dark 10, alpha 0\.2 \(to six digits\)"
    ):
        check_points({**OWN, "again": {"alpha": 0.2, "m_dark": 10.0000001}})
    with pytest.raises(
        AxesError, match=r"^signals: odd has no alpha, and near has; give it under samples\.odd\.point$"
    ):
        check_points({**OWN, "odd": {"m_dark": 30.0}})
    with pytest.raises(AxesError, match=r"^signals: top has no m_dark, and near has"):
        check_points({**OWN, "top": {}}, ["top"])


def test_words_are_symbols_or_what_the_configuration_says() -> None:
    settings = HeatmapSettings(axes={"m_dark": Axis(title="dark pion mass"), "ctau": Axis(unit="mm")})
    assert [settings.label(axis) for axis in ("m_phi", "m_dark", "ctau", "n_flavours")] == [
        r"$m_{\Phi}$ [GeV]",
        "dark pion mass [GeV]",
        "ctau [mm]",
        "n flavours",
    ]
    assert settings.words({"m_dark": 20.0, "ctau": 0.5}) == "dark pion mass = 20 GeV, ctau = 0.5 mm"


def test_lines_and_groups_are_those_of_the_rows_of_the_heatmap() -> None:
    line = line_of(GRID, HeatmapSettings())
    assert (line.axis, line.fixed, len(line.signals)) == ("r_inv", {"m_phi": 2000.0}, 4)
    assert line_of(GRID, HeatmapSettings(), {"m_phi": 3000.0}).fixed == {"m_phi": 3000.0}
    assert line_of(GRID, HeatmapSettings(), {"m_phi": 1234.0}).fixed == {"m_phi": 2000.0}
    words = rf"$r_{{\mathrm{{inv}}}}$ = {0.3:g}"
    assert groups_of(GRID, HeatmapSettings())[words] == ("1000_0.3", "2000_0.3", "3000_0.3")
    assert list(groups_of(APART, HeatmapSettings())) == [
        rf"$m_\mathrm{{dark}}$ = {m} GeV, $\alpha_\mathrm{{dark}}$ = {alpha}"
        for m, alpha in ((10, 0.2), (20, 0.3), (50, 0.4))
    ]
    many = {f"signal_{number}": {} for number in range(20)}
    assert groups_of(many, HeatmapSettings()) == {}
    assert len(shown_signals(many, HeatmapSettings(), Titles())) == 4
    assert shown_signals(NAMED, HeatmapSettings(), Titles()) == {
        "dark_pions": "dark pions",
        "dark_photons": "dark photons",
    }


def test_a_heatmap_of_own_axes_says_their_symbols() -> None:
    axes, bar = figure_of(OWN).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == (r"$m_\mathrm{dark}$ [GeV]", r"$\alpha_\mathrm{dark}$")
    assert bar.get_ylabel() == "AUC against top"
    assert [text.get_text() for text in axes.texts if text.get_text()[0] == "0"] == ["0.43", "0.48", "0.53"]


def test_panels_of_a_further_axis_stand_in_a_row_for_each_background() -> None:
    figure = figure_of(DARK, "top", "qcd")
    panels = figure.axes[:4]
    assert [panel.texts[-1].get_text() for panel in panels] == [rf"$m_{{\Phi}}$ = {m} GeV" for m in (1000, 2000)] * 2
    assert [bar.get_ylabel() for bar in figure.axes[4:]] == ["AUC against top"] * 2 + ["AUC against QCD"] * 2
    assert figure.get_suptitle() == "AE, 2 seeds"


def test_one_axis_is_a_curve_with_errors() -> None:
    (axes,) = figure_of(ALONG, "top", "qcd").axes
    assert [bars.get_label() for bars in axes.containers] == ["against top", "against QCD"]
    assert axes.containers[0].lines[0].get_xdata().tolist() == [10, 20, 50]
    ((bars),) = axes.containers[0].lines[2]
    half = [(segment[1, 1] - segment[0, 1]) / 2 for segment in bars.get_segments()]
    assert half == pytest.approx([(0.02**2 + 0.02**2 / 2) ** 0.5] * 3)
    assert axes.get_xlabel() == r"$m_\mathrm{dark}$ [GeV]"
    assert r"$\alpha_\mathrm{dark}$ = 0.2" in [text.get_text() for text in axes.texts]


def test_names_alone_are_bars_with_errors() -> None:
    (axes,) = figure_of(NAMED).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dark pions", "dark photons"]
    assert [bar.get_x() + bar.get_width() for bar in axes.patches] == pytest.approx([0.43, 0.48])
    assert axes.get_xlabel() == "AUC against top"
    assert [text.get_text() for text in axes.texts[:2]] == ["0.43 ± 0.02", "0.48 ± 0.02"]
    assert len(figure_of(NAMED, "top", "qcd").axes[0].patches) == 4


def test_points_that_fill_no_rectangle_are_bars_with_their_values() -> None:
    (axes,) = figure_of(APART).axes
    words = [label.get_text() for label in axes.get_yticklabels()]
    assert words[0] == r"$m_\mathrm{dark}$ = 10 GeV, $\alpha_\mathrm{dark}$ = 0.2"


def test_tables_have_a_column_an_axis(tmp_path: Path) -> None:
    given = rows({**OWN, "top": {}})
    write_rows(tmp_path / "auc.csv", given, AucRow)
    lines = (tmp_path / "auc.csv").read_text().splitlines()
    assert lines[0] == "method,seed,signal,m_dark,alpha,auc,auc_error,n_signal,n_background,background"
    assert lines[4] == "ae,1,top,,,0.57,0.02,300,900,top"
    assert read_rows(tmp_path / "auc.csv", AucRow) == given
    write_rows(tmp_path / "names.csv", rows(NAMED), AucRow)
    assert (tmp_path / "names.csv").read_text().startswith("method,seed,signal,auc,")
    assert read_rows(tmp_path / "names.csv", AucRow) == rows(NAMED)


def test_the_program_draws_what_it_is_asked_for_and_names_what_is_not_there(tmp_path: Path) -> None:
    write_rows(tmp_path / "auc.csv", rows(DARK), AucRow)
    command = ["workflow/scripts/plot_heatmap.py", "--auc", str(tmp_path / "auc.csv")]
    command += ["--output", str(tmp_path / "a.png"), "--heatmap"]
    done = run_program([*command, '{"x": "m_phi", "at": {"alpha": 0.4}}'])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    done = run_program([*command, '{"x": "m_fi"}'])
    assert done.stderr.splitlines()[-1].startswith("error: heatmap.x: there is no 'm_fi'; did you mean 'm_phi'?")
