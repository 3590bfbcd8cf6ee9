"""oddjet: from CMS-style ROOT files to anomaly-detection AUC heatmaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from oddjet.jets.settings import FeatureSettings
    from oddjet.tagging.tagger import Tagger


def load(path: str | Path, settings: FeatureSettings | None = None, pt_min: float | None = None) -> Tagger:
    """Read a detector's `model.pt`, of any kind, as something that scores candidates.

    Parameters
    ----------
    path : str or Path
        The file that a training wrote. Nothing in it is executed.
    settings : FeatureSettings, optional
        How jets are made; as the detector's training jets were, if not given.
    pt_min : float, optional
        Jets at or below this pT (GeV) are not scored; without it all that are clustered are.

    Raises
    ------
    DetectorError
        The file is missing, damaged, or of another version; or it sees what is no feature of a jet.

    Examples
    --------
    >>> import awkward as ak
    >>> import oddjet
    >>> tagger = oddjet.load("results/jets/models/wnae/seeds-1-2/model.pt")  # doctest: +SKIP
    >>> jets = tagger.score(ak.Array([[{"pt": 600.0, "eta": 0.1, "phi": 1.0, "mass": 0.0}]]))  # doctest: +SKIP
    >>> jets[["event", "jet_rank", "pt", "in_window", "mean_score"]]  # doctest: +SKIP
    """
    # By name: numpy, torch and awkward are loaded by who scores, and no stage's code reaches the taggers.
    import importlib

    found: Tagger = importlib.import_module("oddjet.tagging.tagger").load(path, settings, pt_min)
    return found
