"""Scale features with numbers fitted on background training jets.

The paper scales to (-3, 3) by minimum and maximum (scikit-learn's MinMaxScaler, CMS-MLG-24-002), and the network sees
the logarithm of the soft drop mass. Signal and test jets may lie outside the range: nothing is clipped.
`power` and `quantile` are other coordinates for an energy or a density: features near to normal on the training jets.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ConfigDict, TypeAdapter

from oddjet.arrays import Floats
from oddjet.dataset.columns import Extremes, WeightedMoments
from oddjet.dataset.settings import DatasetSettings, Scaling
from oddjet.dataset.warping import (
    EvenSample,
    fit_power,
    fit_quantiles,
    from_normal_scores,
    from_power,
    to_normal_scores,
    to_power,
)
from oddjet.errors import DatasetError
from oddjet.weighted import unequal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray


# Of what is read from a file: no other keys, and no NaN.
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class FeatureScale:
    """What was fitted for one feature, after its transform; `floor` is in the feature's own unit.

    `warp` is what the scaling power (exponent, mean, deviation) or quantile (the quantiles) fitted to the standardised
    values; empty for the others.
    """

    __pydantic_config__ = STRICT

    name: str
    transform: str
    floor: float | None
    minimum: float
    maximum: float
    mean: float
    deviation: float
    warp: tuple[float, ...] = ()

    def apply_transform(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return values as the scaler sees them: as they are, or ln(max(value, floor))."""
        return _transformed(values, self.floor)


@dataclass(frozen=True)
class Scaler:
    """Fitted scaling of all features, in the order in which the models see them.

    Parameters
    ----------
    features : tuple of FeatureScale
        One a feature.
    scaling : {"min_max", "standard", "power", "quantile"}
        `min_max` maps the training minimum and maximum to `range`; `standard` gives mean 0 and standard deviation 1;
        `power` and `quantile` map the standardised values on, see `oddjet.dataset.warping`.
    range : tuple of float
        Target of min_max scaling.
    """

    __pydantic_config__ = STRICT

    features: tuple[FeatureScale, ...]
    scaling: Scaling = "min_max"
    range: tuple[float, float] = (-3.0, 3.0)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in self.features)

    def affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (slope, offset), shape (D,) each, of scaled = slope * value + offset."""
        if self.scaling != "min_max":
            slope = np.array([1.0 / feature.deviation for feature in self.features])
            return slope, -slope * np.array([feature.mean for feature in self.features])
        low, high = self.range
        minimum = np.array([feature.minimum for feature in self.features])
        maximum = np.array([feature.maximum for feature in self.features])
        slope = (high - low) / (maximum - minimum)
        return slope, low - slope * minimum

    def transform(self, jets: NDArray[np.void]) -> NDArray[np.float32]:
        """Scale the features of a table.

        Parameters
        ----------
        jets : structured ndarray, shape (n,)
            Must hold every feature of the scaler, in physical units; other columns are ignored.

        Returns
        -------
        ndarray of float32, shape (n, D)

        Raises
        ------
        DatasetError
            If a column is missing or a value is not finite.
        """
        values = np.empty((len(jets), len(self.features)), order="F")
        for index, feature in enumerate(self.features):
            values[:, index] = feature.apply_transform(_column(jets, feature.name))
            _check_finite(feature.name, values[:, index])
        return self.scale(values)

    def scale(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Scale values (n, D) that went through `FeatureScale.apply_transform` already."""
        slope, offset = self.affine()
        scaled = np.empty(values.shape, dtype=np.float32)
        for index in range(len(self.features)):
            scaled[:, index] = self._warp(index, slope[index] * values[:, index] + offset[index])
        return scaled

    def _warp(self, index: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.scaling == "power":
            return to_power(values, self.features[index].warp)
        if self.scaling == "quantile":
            return to_normal_scores(values, self.features[index].warp)
        return values

    def _unwarp(self, index: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.scaling == "power":
            return from_power(values, self.features[index].warp)
        if self.scaling == "quantile":
            return from_normal_scores(values, self.features[index].warp)
        return values

    def inverse(self, scaled: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Undo the scaling: shape (n, D) to values in the features' units, float64, same shape.

        A value that was below a logarithm's floor comes back as the floor.
        """
        slope, offset = self.affine()
        values = np.array(scaled, dtype=np.float64)
        for index, feature in enumerate(self.features):
            values[:, index] = (self._unwarp(index, values[:, index]) - offset[index]) / slope[index]
            if feature.transform == "log":
                values[:, index] = np.exp(values[:, index])
        return values

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers: what scaler.json and the model files hold."""
        return {
            "features": [asdict(feature) for feature in self.features],
            "scaling": self.scaling,
            "range": list(self.range),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Scaler:
        """Rebuild a scaler from what `to_dict` returned.

        Raises
        ------
        DatasetError
            If a key is missing or unknown.
        """
        try:
            found: Scaler = TypeAdapter(cls).validate_python(dict(content))
            found._check()
        except (TypeError, ValueError) as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise DatasetError(f"this is not a scaler of oddjet ({words}); make it again with build_dataset") from error
        return found

    def _check(self) -> None:
        """Raise `ValueError` unless values can be scaled with these numbers and back."""
        if not self.features:
            raise ValueError("no feature")
        if not self.range[0] < self.range[1]:
            raise ValueError(f"the range {self.range} does not rise")
        warps = {"power": 3, "quantile": 2}
        for feature in self.features:
            spread = feature.maximum - feature.minimum if self.scaling == "min_max" else feature.deviation
            if not spread > 0 or len(feature.warp) < warps.get(self.scaling, 0):
                raise ValueError(f"the numbers of {feature.name} do not fit the scaling {self.scaling}")
            if feature.floor is not None and not feature.floor > 0:
                raise ValueError(f"the logarithm of {feature.name} has the floor {feature.floor}")


class ScalerFit:
    """Fit a scaler on jets that arrive in pieces, in one pass and constant memory.

    Means, deviations, quantiles and powers go by the jets' weights; the smallest and the largest value have none.

    Parameters
    ----------
    settings : DatasetSettings
        Names the features, logarithms, kind and range of the scaling.
    """

    def __init__(self, settings: DatasetSettings) -> None:
        self._settings = settings
        self._count = 0
        self._moments = WeightedMoments(len(settings.features))
        self._extremes = [Extremes(name) for name in settings.features]
        self._sample = EvenSample()

    def update(self, jets: NDArray[np.void], file: str = "", rows: NDArray[np.intp] | None = None) -> None:
        """Take in more training jets.

        Parameters
        ----------
        jets : structured ndarray, shape (n,)
            With every feature; the column `weight`, where there is one, says how much each jet counts.
        file : str
            Where they come from, for messages.
        rows : ndarray of int, shape (n,), optional
            Their rows there; counted on from the jets before if not given.

        Raises
        ------
        DatasetError
            If a column is missing or a value is not finite, naming the feature and the number of jets.
        """
        if not len(jets):
            return
        places = self._count + np.arange(len(jets)) if rows is None else rows
        # The weight is the last column. By columns in memory: sums over a column are then those of an array of its own.
        values = np.empty((len(jets), len(self._settings.features) + 1), order="F")
        for index, name in enumerate(self._settings.features):
            values[:, index] = _transformed(_column(jets, name), self._settings.log_floors.get(name))
            _check_finite(name, values[:, index])
            self._extremes[index].update(values[:, index], file, places)
        values[:, -1] = jets["weight"] if "weight" in (jets.dtype.names or ()) else 1.0
        self._moments.update(values[:, :-1], values[:, -1])
        self._sample.add(values)
        self._count += len(jets)

    def finish(self) -> Scaler:
        """Return the scaler of all jets taken in.

        Raises
        ------
        DatasetError
            If there were no jets, their weights give no mean and deviation, or a feature has the same value in all of
            them, but for last bits or for a few jets that rule its scale; the message names that jet.
        """
        if self._count == 0:
            message = "no training jets to fit the scaler on; give more background files or a larger train fraction"
            raise DatasetError(message)
        names = self._settings.features
        for extremes in self._extremes:
            extremes.check(self._count)
        means, deviations = self._moments.finish(names)
        sample = self._sample.rows()
        features = []
        for index, name in enumerate(names):
            floor = self._settings.log_floors.get(name)
            standardised = (sample[:, index] - means[index]) / deviations[index]
            features.append(
                FeatureScale(
                    name=name,
                    transform="identity" if floor is None else "log",
                    floor=floor,
                    minimum=self._extremes[index].minimum,
                    maximum=self._extremes[index].maximum,
                    mean=float(means[index]),
                    deviation=float(deviations[index]),
                    warp=self._fit_warp(name, standardised, unequal(sample[:, -1])),
                )
            )
        scaler = Scaler(tuple(features), self._settings.scaling, self._settings.range)
        scaled = scaler.scale(sample[:, :-1])
        for index, extremes in enumerate(self._extremes):
            extremes.check_resolution(sample[:, index], scaled[:, index])
        return scaler

    def _fit_warp(self, name: str, standardised: Floats, weights: Floats | None) -> tuple[float, ...]:
        if self._settings.scaling not in ("power", "quantile"):
            return ()
        fit = fit_power if self._settings.scaling == "power" else fit_quantiles
        warp = fit(standardised, weights)
        if not np.isfinite(warp).all():
            raise DatasetError(
                f"feature {name}: with these weights no {self._settings.scaling} scaling can be fitted; take another "
                "scaling, or jets without negative weights"
            )
        return warp


def fit_scaler(jets: NDArray[np.void], settings: DatasetSettings) -> Scaler:
    """Fit a scaler on one structured array of background training jets; see `ScalerFit`."""
    fit = ScalerFit(settings)
    fit.update(jets)
    return fit.finish()


def refit_scaler(scaler: Scaler, scaling: str, pieces: Iterable[NDArray[np.void]]) -> Scaler:
    """Fit the same features, with the same logarithms, in other coordinates.

    Parameters
    ----------
    scaler : Scaler
        Names the features and logarithms.
    scaling : {"min_max", "standard", "power", "quantile"}
        The new coordinates.
    pieces : iterable of structured ndarray
        Background training jets, with their weights.
    """
    floors = {feature.name: feature.floor for feature in scaler.features if feature.floor is not None}
    content = {"features": scaler.names, "log_floors": floors, "scaling": scaling, "range": scaler.range}
    fit = ScalerFit(DatasetSettings.model_validate(content))
    for jets in pieces:
        fit.update(jets)
    return fit.finish()


def _column(jets: NDArray[np.void], name: str) -> NDArray[Any]:
    """Return a column, or say which one is missing."""
    columns = jets.dtype.names or ()
    if name not in columns:
        message = f"the table has no feature {name}; its columns are {', '.join(columns)}"
        raise DatasetError(message)
    return np.asarray(jets[name])


def _transformed(values: NDArray[np.floating[Any]], floor: float | None) -> NDArray[np.float64]:
    """Return values in float64, through ln(max(value, floor)) if there is a floor."""
    exact = np.asarray(values, dtype=np.float64)
    return exact if floor is None else np.log(np.maximum(exact, floor))


def _check_finite(name: str, values: NDArray[np.float64]) -> None:
    """Raise if a value is NaN or infinite."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        message = (
            f"feature {name} is {values[bad[0]]} in jet {bad[0]} ({len(bad)} of {len(values)} jets are not finite)"
        )
        raise DatasetError(message)
