"""The mean of methods: of the standardised scores of all their seeds.

The mean and the standard deviation that standardise a seed's scores are those of the validation rows: background that
trained no weights, that is not the background which is tested on, and that holds no signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from oddjet.detectors.registry import DetectorSettings
from oddjet.errors import DetectorError, EvaluationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from oddjet.detectors.opening import Given, Method, Opened
    from oddjet.detectors.protocol import Detector

# A mean is one model, to which no seed and no epoch belongs; its score table has the name of its group.
SEEDS, EPOCHS, GROUP = (0,), (0,), "mean"


def _as_list(given: object) -> object:
    return [given] if isinstance(given, str) else given


class JoinedSettings(DetectorSettings):
    """Base of the settings of what joins the scores of other methods, and trains nothing."""

    of: Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | tuple[str, ...])] = Field(
        min_length=1,
        description="one method or a list of them; all their seeds count the same, each with mean 0 and standard "
        "deviation 1 on the validation jets of the background",
    )

    @field_validator("of")
    @classmethod
    def _each_once(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((name for name in of if of.count(name) > 1), None)
        if twice is not None:
            message = f"{twice} stands twice in the list; name it once"
            raise ValueError(message)
        return of


class MeanSettings(JoinedSettings):
    """Mean of the standardised scores of all seeds of one or several methods."""

    opener: ClassVar[str] = "oddjet.detectors.mean"

    kind: Literal["mean"]


def open_detector(given: Given) -> Opened:
    """Open the mean of all models that are given, standardised on the validation rows.

    Raises
    ------
    DetectorError
        The models are not those of the methods that the settings name, or there are no validation rows.
    EvaluationError
        See `background_moments`.
    """
    models, background = read_members(given)
    opened = mean_of(given.method, models, background)
    return replace(opened, modules=modules_of(models))


def read_members(given: Given) -> tuple[list[Detector], NDArray[np.void]]:
    """Read the models of the methods that are joined, and the validation rows; raise `DetectorError`."""
    from oddjet.detectors.file import load
    from oddjet.io.tables import read_table

    settings = given.settings
    assert isinstance(settings, JoinedSettings)
    models: list[Detector] = [load(path) for path in given.models]
    names = sorted({model.name for model in models})
    if names != sorted(settings.of):
        raise DetectorError(
            f"--models are of {', '.join(names)}, and the {settings.kind} is of {', '.join(settings.of)}"
        )
    if given.validation is None:
        raise DetectorError(f"{given.method}: no --validation, the background on which each seed is standardised")
    return models, read_table(given.validation, needed=["weight"])


def modules_of(models: Sequence[Detector]) -> tuple[str, ...]:
    """Return the modules that were imported by name where models were loaded."""
    return tuple(sorted({module for model in models for module in model.card.modules}))


def mean_of(method: str, models: Sequence[Detector], background: NDArray[np.void]) -> Opened:
    """Return the mean of the scores of all seeds of models, each standardised on background.

    Parameters
    ----------
    method : str
        Name of the mean.
    models : sequence of Detector
        All their seeds count the same.
    background : structured ndarray, shape (n,)
        Validation rows, which count by their weights.

    Raises
    ------
    EvaluationError
        See `background_moments`.
    """
    import numpy as np

    from oddjet.detectors.opening import Method, one_method

    weights = background["weight"].astype(np.float64)
    moments = [
        background_moments(model.score(background), weights, Method(model.name, model.seeds, model.epochs))
        for model in models
    ]
    count = sum(len(model.seeds) for model in models)

    def score(table: NDArray[np.void]) -> NDArray[np.float64]:
        total = np.zeros(len(table))
        for model, (means, deviations) in zip(models, moments, strict=True):
            total += ((model.score(table) - means) / deviations).sum(axis=1)
        return (total / count)[:, None]

    return one_method(Method(method, SEEDS, EPOCHS), score)


def background_moments(
    scores: NDArray[np.float64], weights: NDArray[np.float64], method: Method
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the weighted mean and standard deviation of each seed's scores.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, S)
        Of background jets.
    weights : ndarray of float64, shape (n,)
        Of the same jets; single ones may be negative, their sum may not.
    method : Method
        Whose seeds they are, for the message.

    Returns
    -------
    Means and standard deviations, shape (S,) each.

    Raises
    ------
    EvaluationError
        If the weights do not add up to something positive, a mean or deviation is not finite, or a deviation is 0.
    """
    import numpy as np

    if not 0 < weights.sum() < np.inf:
        raise EvaluationError(
            f"method {method.name}: the weights of {len(weights)} background jets add up to {weights.sum():g}, not "
            "above 0: no score can be standardised; look at the generator weights of the validation jets"
        )
    with np.errstate(all="ignore"):
        means = weights @ scores / weights.sum()
        deviations = np.sqrt(weights @ (scores - means) ** 2 / weights.sum())
    for seed, mean, deviation in zip(method.seeds, means, deviations, strict=True):
        if not (np.isfinite(mean) and np.isfinite(deviation) and deviation > 0):
            raise EvaluationError(
                f"method {method.name}, seed {seed}: its scores of {len(scores)} background jets have mean {mean:g} "
                f"and deviation {deviation:g}, so they cannot be standardised; look at its training history, or take "
                "the method out of the mean"
            )
    return means, deviations
