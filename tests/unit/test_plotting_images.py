"""Pictures of images and the elbow."""

from dataclasses import replace

import numpy as np
import pytest

from oddjet.errors import FigureError
from oddjet.plotting.images import ElbowCurves, draw_references
from oddjet.plotting.style import save_figure

CURVES = ElbowCurves([([1, 5, 2], 0.3), ([2, 6, 0], 0.2)], [0.15, 0.1], ([1, 1.5, 2], [0.15, 0.1, 0.1]), 2, 0.01)


def test_images_stand_in_a_row_above_the_elbow(tmp_path):
    picture = np.zeros((8, 8))
    picture[6, 1] = 1.0
    figure = draw_references({"average": picture, "medoid 1": picture}, 1.6, CURVES, "qcd, wass1", "Simulation")
    titles = [axes.get_title() for axes in figure.get_axes() if axes.get_title()]
    assert titles == ["average", "medoid 1"]
    shown = figure.get_axes()[0].collections[0].get_array()
    # Rows go up: the pixel is above and left of the middle.
    assert np.flatnonzero(~np.ma.getmaskarray(np.ma.masked_invalid(shown)).ravel()).tolist() == [6 * 8 + 1]
    texts = [text.get_text() for axes in figure.get_axes() for text in axes.texts]
    assert "Simulation" in texts
    assert "qcd, wass1" in texts
    labels = [text.get_text() for axes in figure.get_axes() if axes.get_legend() for text in axes.get_legend().texts]
    assert "elbow: k = 2" in labels
    none = draw_references({"average": picture}, 1.6, replace(CURVES, suggested=None), "", "").get_axes()
    labels = [text.get_text() for axes in none if axes.get_legend() for text in axes.get_legend().texts]
    assert [label for label in labels if "elbow" in label] == ["no elbow"]
    save_figure(figure, tmp_path / "f.pdf")
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")


def test_nothing_to_draw_is_refused():
    with pytest.raises(FigureError, match="no image"):
        draw_references({}, 1.6, CURVES, "", "")
