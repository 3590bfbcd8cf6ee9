"""The minimum of detectors that each know one background: how odd a jet is to the background that it fits best.

A score that is trained on several backgrounds together has another level for each of them, so that one cut takes most
of what passes from the background of the highest level. Here each method is trained on background of its own (its
setting `background`), and its scores are turned into quantiles of this background. The score of a jet is the lowest of
these quantiles. Of each of the backgrounds, and so of any mixture of them, at most the share 1 - q lies above a
quantile q: its own detector alone lets no more pass. Such a union of acceptance regions, each calibrated on a class of
its own, is that of Guan and Tibshirani, J. R. Stat. Soc. B 84 (2022) 524, for outliers among known classes. Nothing is
chosen by signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from oddjet.detectors.mean import (
    EPOCHS,
    SEEDS,
    JoinedSettings,
    background_moments,
    modules_of,
    read_members,
)
from oddjet.detectors.registry import trained_on

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from oddjet.arrays import Floats
    from oddjet.detectors.opening import Given, Opened
    from oddjet.detectors.protocol import Detector


class MinimumSettings(JoinedSettings):
    """Lowest of the scores of several methods, each in quantiles of the background that it was trained on."""

    opener: ClassVar[str] = "oddjet.detectors.minimum"

    kind: Literal["minimum"]


def open_detector(given: Given) -> Opened:
    """Open the minimum of all methods whose models are given.

    Raises
    ------
    DetectorError, EvaluationError
        See `oddjet.detectors.mean.open_detector`.
    DatasetError
        If the validation rows hold none of a sample that a method was trained on.
    """
    from oddjet.dataset.of_samples import rows_of

    models, background = read_members(given)
    assert given.validation is not None
    validation = given.validation
    methods: dict[str, list[Detector]] = {}
    for model in models:
        methods.setdefault(model.name, []).append(model)
    own = [rows_of(validation, background, trained_on(group[0].card.settings)) for group in methods.values()]
    opened = minimum_of(given.method, list(methods.values()), own)
    return replace(opened, modules=modules_of(models))


def minimum_of(method: str, members: Sequence[Sequence[Detector]], backgrounds: Sequence[NDArray[np.void]]) -> Opened:
    """Return the minimum over methods of their scores, each in quantiles of a background.

    Parameters
    ----------
    method : str
        Name of the minimum.
    members : sequence of sequence of Detector
        The models of each method. The standardised scores of its seeds are averaged first.
    backgrounds : sequence of structured ndarray, shape (n,)
        Validation rows of what each was trained on; they count by their weights.

    Returns
    -------
    Opened
        The score is the normal score of the quantile, with slope 1 (in standard deviations of the member's score)
        beyond the outermost of the `oddjet.dataset.warping.QUANTILES` quantiles.

    Raises
    ------
    EvaluationError
        See `oddjet.detectors.mean.background_moments`.
    """
    import numpy as np

    from oddjet.dataset.warping import fit_quantiles, to_normal_scores
    from oddjet.detectors.opening import Method, one_method
    from oddjet.weighted import unequal

    fitted = []
    for models, background in zip(members, backgrounds, strict=True):
        weights = background["weight"].astype(np.float64)
        constants = [
            background_moments(model.score(background), weights, Method(model.name, model.seeds, model.epochs))
            for model in models
        ]
        quantiles = fit_quantiles(_mean_of_seeds(models, constants, background), unequal(weights))
        fitted.append((models, constants, quantiles))

    def score(table: NDArray[np.void]) -> NDArray[np.float64]:
        found = [
            to_normal_scores(_mean_of_seeds(models, constants, table), quantiles)
            for models, constants, quantiles in fitted
        ]
        return np.asarray(np.min(found, axis=0))[:, None]

    return one_method(Method(method, SEEDS, EPOCHS), score)


def _mean_of_seeds(
    models: Sequence[Detector], constants: Sequence[tuple[Floats, Floats]], table: NDArray[np.void]
) -> Floats:
    """Average the standardised scores (n,) of all seeds of one method."""
    import numpy as np

    scores = [
        (model.score(table) - means) / deviations for model, (means, deviations) in zip(models, constants, strict=True)
    ]
    return np.asarray(np.concatenate(scores, axis=1).mean(axis=1))
