"""The histograms of CMS-MLG-24-002: which features, epochs and samples each of them shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EvaluationError
from oddjet.evaluation.history import Curves, with_gaps
from oddjet.evaluation.moments import epochs_around, last_before_divergence
from oddjet.evaluation.negatives import Samples
from oddjet.plotting.histograms import HistogramPanel

# Figure 4 shows one feature, figures 11 and 12 four each; with features of one's own, the first ones are taken.
PAPER_FEATURES = ("tau2", "tau3", "efp1", "c2", "axis_major", "axis_minor", "ptd", "softdrop_mass")
PANELS_AROUND_DIVERGENCE = 6


def histogram_panels(
    figure: str,
    names: Sequence[str],
    jets: Mapping[str, NDArray[np.floating[Any]]],
    negatives: Samples,
    history: Mapping[str, Curves],
    seed: int,
) -> list[list[HistogramPanel]]:
    """Make the panels of figure 4, 11 or 12, row by row.

    Parameters
    ----------
    figure : str
        4: tau3 at six snapshots from the last one before the training diverges; 11 and 12: four features each, at the
        first and the last snapshot.
    names : sequence of str
        Features, in the order of the columns.
    jets : mapping of str to ndarray of shape (n, D)
        Scaled `background` and `signal`.
    negatives : mapping of (int, int) to ndarray of shape (n, D)
        (seed, epoch) to samples.
    history : mapping of str to curves
        Of the same training.
    seed : int
        The one that is drawn.

    Raises
    ------
    EvaluationError
        If there is no such figure, or no sample of the seed.
    """
    epochs = sorted(epoch for one, epoch in negatives if one == seed)
    if not epochs:
        raise EvaluationError(f"--seed {seed} has no negative samples in the tables of sample_negatives")

    def panel(feature: str, epoch: int) -> HistogramPanel:
        column = list(names).index(feature)
        samples = {**jets, "negatives": negatives[seed, epoch]}
        return HistogramPanel(feature, f"epoch {epoch}", {key: values[:, column] for key, values in samples.items()})

    known = [name for name in PAPER_FEATURES if name in names] or list(names)
    if figure == "4":
        feature = "tau3" if "tau3" in names else known[0]
        filled = with_gaps(history)
        energies = [filled[f"{sign}_energy_train"][seed] for sign in ("positive", "negative")]
        shown = epochs_around(epochs, last_before_divergence(*energies), PANELS_AROUND_DIVERGENCE)
        panels = [panel(feature, epoch) for epoch in shown]
        return [row for row in (panels[:3], panels[3:]) if row]
    if figure in ("11", "12"):
        features = known[:4] if figure == "11" else known[4:8] or known[-4:]
        return [[panel(feature, epoch) for feature in features] for epoch in (epochs[0], epochs[-1])]
    raise EvaluationError(f"--figure {figure!r} is not one of 4, 11, 12")
