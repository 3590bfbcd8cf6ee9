"""Jets corrected in energy and resolution, and the weights of events, nominal and varied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.errors import CorrectionError
from oddjet.io.candidates import CandidateRecord
from oddjet.io.root import EventFile
from oddjet.io.tables import Column
from oddjet.jets.clustering import Jets
from oddjet.jets.correction_settings import (
    DIRECTIONS,
    JET_INPUTS,
    BranchWeight,
    CorrectionSettings,
    Inputs,
    PayloadWeight,
)
from oddjet.jets.payloads import OpenPayload
from oddjet.messages import not_among
from oddjet.selection.expressions import no_branch
from oddjet.settings import VARIED

SECTION = "features.corrections"
_STEP, _FIRST, _SECOND = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class Corrections:
    """The corrections of one sample.

    Parameters
    ----------
    settings : CorrectionSettings
    eta_max : float
        Jets beyond it keep their momentum: they are cut, and payloads need not reach there.
    variation : str, optional
        Of `settings.shifted()`: the jets are shifted so.

    Raises
    ------
    CorrectionError
        A payload cannot be used as the settings say, or there is no such variation.
    """

    def __init__(self, settings: CorrectionSettings, eta_max: float, variation: str | None = None) -> None:
        self._settings, self._eta_max = settings, eta_max
        if variation is not None and variation not in settings.shifted():
            raise CorrectionError(f"--variation: {not_among(variation, settings.shifted())}")
        self._kind, _, self._direction = (variation or "").partition("_")
        self._payloads = {key: OpenPayload(f"{SECTION}.{key}", one) for key, one in settings.payloads()}

    @property
    def of_jets(self) -> bool:
        """Whether jets are corrected."""
        return self._settings.jec is not None or self._settings.jer is not None

    def branches(self) -> tuple[str, ...]:
        """Return the branches that inputs and weights name."""
        names: list[str] = []
        for key, payload in self._payloads.items():
            own = JET_INPUTS if not key.startswith("weights.") else ()
            names += [name for inputs in self._all_inputs(key) for name in payload.sources(inputs) if name not in own]
        for weight in self._settings.weights.values():
            if isinstance(weight, BranchWeight):
                names += [name for name in (weight.nominal, weight.up, weight.down) if name]
        return tuple(dict.fromkeys(names))

    def readable(self, file: EventFile) -> tuple[str, ...]:
        """Return the branches to read from a file; raises `CorrectionError` where it lacks one."""
        names = self.branches()
        lacking = file.lacking(names)
        if lacking:
            place = next(key for key in self._places() if lacking[0] in self._named(key))
            raise CorrectionError(f"{file.path}: {no_branch(lacking[0], f'{SECTION}.{place}', file.branches)}")
        return names

    def columns(self) -> list[Column]:
        """Return the columns of the varied weights."""
        return [
            Column(f"{VARIED}{name}", "f4", "1", f"Weight under the variation {name}.")
            for name in self._settings.reweighted()
        ]

    def corrected(self, jets: Jets, record: CandidateRecord) -> Jets:
        """Return the jets with corrected pT and mass, in falling corrected pT; constituents stay as they are.

        Raises
        ------
        CorrectionError
            A payload has no value for a jet; the message names file, payload and value.
        """
        if not self.of_jets:
            return jets
        inside = np.abs(jets.eta) < self._eta_max
        factor = np.ones(len(jets))
        factor[inside] = self._factor(jets.where(inside), record)
        order = np.lexsort((-jets.pt * factor, jets.event))
        moved = replace(jets, pt=jets.pt * factor, mass=jets.mass * factor, clustered=(jets.rank, factor)).take(order)
        rank = (np.arange(len(moved)) - np.searchsorted(moved.event, moved.event)).astype(np.int16)
        return replace(moved, rank=rank)

    def weights(self, record: CandidateRecord) -> dict[str, Floats]:
        """Return the factors on the weights of events: nominal under the name "", and of each variation under its own.

        Raises
        ------
        CorrectionError
            As of `corrected`; or a branch holds no finite number for an event.
        """
        factors: dict[str, dict[str, Floats]] = {}
        for name, weight in self._settings.weights.items():
            directions = ["", *weight.varied()]
            factors[name] = {one: self._weight(name, weight, one, record) for one in directions}
        ones = np.ones(len(record))
        found = {"": math.prod((one[""] for one in factors.values()), start=ones)}
        for name, own in factors.items():
            rest = math.prod((one[""] for other, one in factors.items() if other != name), start=ones)
            found |= {f"{name}_{direction}": rest * values for direction, values in own.items() if direction}
        return found

    def nominal(self, record: CandidateRecord) -> Floats:
        """Return the nominal weight of each event, shape (len(record),)."""
        weights = np.asarray(record.weight, np.float64)
        return weights * self.weights(record)[""] if self._settings.weights else weights

    def fill(self, rows: NDArray[np.void], jets: Jets, record: CandidateRecord, weight: float) -> None:
        """Write the weights of jets, nominal and varied, into the rows of a table; `weight` is the sample's."""
        if not self._settings.weights:
            return
        for name, factor in self.weights(record).items():
            rows[f"{VARIED}{name}" if name else "weight"] = (record.weight * factor)[jets.event] * weight

    def _factor(self, jets: Jets, record: CandidateRecord) -> Floats:
        settings = self._settings
        factor = np.ones(len(jets))
        if settings.jec is not None:
            factor = factor * self._of_jets("jec", jets, factor, record)
            if self._kind == "jec":
                shift = self._of_jets("jec.uncertainty", jets, factor, record)
                factor = factor * (1 + shift if self._direction == "up" else 1 - shift)
        if settings.jer is not None:
            own: Inputs | None = getattr(settings.jer, self._direction) if self._kind == "jer" else None
            width = self._of_jets("jer.resolution", jets, factor, record)
            scale = self._of_jets("jer.scale_factor", jets, factor, record, own)
            smeared = 1 + normal(jets, record) * width * np.sqrt(np.maximum(scale**2 - 1, 0))
            factor = factor * np.maximum(smeared, 0.01)
        return factor

    def _of_jets(
        self, key: str, jets: Jets, factor: Floats, record: CandidateRecord, own: Inputs | None = None
    ) -> Floats:
        values = {
            "pt": jets.pt * factor,
            "mass": jets.mass * factor,
            "raw_pt": jets.pt,
            "eta": jets.eta,
            "phi": jets.phi,
            "rank": jets.rank.astype(np.float64),
            "n_constituents": jets.constituents.counts().astype(np.float64),
        }

        def lookup(name: str) -> Floats:
            return values[name] if name in values else self._branch(key, name, record)[jets.event]

        return self._payloads[key].evaluate(lookup, len(jets), record.file, own)

    def _weight(
        self, name: str, weight: PayloadWeight | BranchWeight, direction: str, record: CandidateRecord
    ) -> Floats:
        key = f"weights.{name}"
        if isinstance(weight, PayloadWeight):
            own = getattr(weight, direction) if direction else None
            return self._payloads[key].evaluate(
                lambda one: self._branch(key, one, record), len(record), record.file, own
            )
        branch = getattr(weight, direction or "nominal")
        return np.ones(len(record)) if branch is None else self._branch(key, branch, record)

    def _branch(self, key: str, name: str, record: CandidateRecord) -> Floats:
        """Give one finite number an event."""
        columns = record.columns
        if columns is None or not columns.holds(name):
            raise CorrectionError(
                f"{record.file}: {SECTION}.{key}: needs the branch {name}, which candidates alone do not have; "
                "score files"
            )
        values = columns.values(name)
        if isinstance(values, ak.Array):
            raise CorrectionError(f"{record.file}: {SECTION}.{key}: {name} is a list an event; name a number an event")
        values = np.asarray(values, dtype=np.float64)
        if not np.isfinite(values).all():
            bad = int(np.argmin(np.isfinite(values)))
            raise CorrectionError(
                f"{record.file}: {SECTION}.{key}: {name} is {values[bad]} in entry {record.entry[bad]}"
            )
        return values

    def _all_inputs(self, key: str) -> Sequence[Inputs | None]:
        """Give the inputs of all directions that a payload is evaluated with."""
        settings = self._settings
        varied = settings.jer if key == "jer.scale_factor" else settings.weights.get(key.removeprefix("weights."))
        own = [getattr(varied, one) for one in DIRECTIONS] if varied is not None else []
        return [None, *(one for one in own if isinstance(one, dict))]

    def _places(self) -> list[str]:
        return [*self._payloads, *(f"weights.{name}" for name in self._settings.weights)]

    def _named(self, key: str) -> list[str]:
        if key in self._payloads:
            return [name for inputs in self._all_inputs(key) for name in self._payloads[key].sources(inputs)]
        weight = self._settings.weights[key.removeprefix("weights.")]
        return [str(getattr(weight, one)) for one in ("nominal", *DIRECTIONS)]


def normal(jets: Jets, record: CandidateRecord) -> Floats:
    """Draw a normal deviate for each jet from a hash of its event's numbers and its rank: the same in every run.

    Returns
    -------
    float64 array, shape (jets,)

    References
    ----------
    splitmix64 (Steele, Lea, Flood, OOPSLA 2014); Box and Muller, Ann. Math. Stat. 29 (1958) 610.
    """
    state = np.zeros(len(jets), np.uint64)
    for numbers in (record.run, record.luminosity_block, record.event):
        state = _mixed(state) ^ numbers[jets.event].astype(np.uint64)
    state = _mixed(state) ^ jets.rank.astype(np.uint64)
    first, second = (_mixed(state + np.uint64(number)) >> np.uint64(11) for number in (1, 2))
    uniform = [(bits.astype(np.float64) + 0.5) * 2.0**-53 for bits in (first, second)]
    result: Floats = np.sqrt(-2 * np.log(uniform[0])) * np.cos(2 * np.pi * uniform[1])
    return result


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = value + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
