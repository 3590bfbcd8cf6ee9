"""The registry of jet features.

A feature is one function of a `Substructure`, registered with its unit, range and source; its docstring is
its definition. Adding one is a function here and a test of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from oddjet.arrays import Floats
from oddjet.errors import JetError
from oddjet.io.tables import Column
from oddjet.jets import grooming, substructure
from oddjet.jets.clustering import Jets, Trees, rapidity, trees
from oddjet.jets.multigraphs import graphs_up_to
from oddjet.jets.njettiness import njettiness
from oddjet.jets.polynomials import polynomials
from oddjet.jets.recombination import CAMBRIDGE_AACHEN, KT
from oddjet.jets.settings import Efp, EfpSettings, FeatureSettings

C2_BETA = 0.5
POLYNOMIALS = "Komiske, Metodiev, Thaler, JHEP 04 (2018) 013"


class Substructure:
    """Jets with the intermediate results that several features share, each computed once and on demand."""

    def __init__(self, jets: Jets, settings: FeatureSettings) -> None:
        self.jets = jets
        self.settings = settings
        self._tau: dict[int, Floats] = {}
        self._polynomials: dict[EfpSettings, Floats] = {}

    @cached_property
    def rapidity(self) -> Floats:
        """Rapidity of the constituents, shape (particles,)."""
        return rapidity(self.jets.constituents)

    @cached_property
    def correlators(self) -> tuple[Floats, Floats, Floats]:
        """e2 with beta 1, e2 and e3 with `C2_BETA`, each of shape (jets,)."""
        return substructure.correlators(self.jets.constituents, self.rapidity, C2_BETA)

    @cached_property
    def correlators_beta1(self) -> tuple[Floats, Floats]:
        """e2 and e3 with beta 1, each of shape (jets,)."""
        _, e2, e3 = substructure.correlators(self.jets.constituents, self.rapidity, 1.0)
        return e2, e3

    @cached_property
    def shape(self) -> tuple[Floats, Floats, Floats]:
        """Axis major, axis minor, pTD, each of shape (jets,)."""
        return substructure.shape(self.jets.constituents)

    @cached_property
    def cambridge_trees(self) -> Trees:
        """Cambridge/Aachen tree of each jet."""
        return trees(self.jets.constituents, CAMBRIDGE_AACHEN)

    @cached_property
    def kt_trees(self) -> Trees:
        """Clustering by kT, of which the exclusive jets are the starting axes of N-subjettiness."""
        return trees(self.jets.constituents, KT)

    def tau(self, order: int) -> Floats:
        """N-subjettiness, shape (jets,)."""
        if order not in self._tau:
            values = njettiness(self.jets.constituents, self.kt_trees, (order,), self.settings.radius)
            self._tau[order] = values[0]
        return self._tau[order]

    def polynomials(self, efp: EfpSettings) -> Floats:
        """Energy flow polynomials of the settings' graphs, shape (graphs, jets)."""
        if efp not in self._polynomials:
            which = [efp.graph] if efp.graph is not None else efp.degree or 0
            self._polynomials[efp] = polynomials(
                self.jets.constituents, self.rapidity, which, efp.beta, self.settings.efp_backend
            )
        return self._polynomials[efp]


@dataclass(frozen=True)
class Feature:
    """One entry of the registry.

    Attributes
    ----------
    name, unit, interval, source, definition : str
    compute : callable
        Takes a `Substructure`, returns a float64 array of shape (jets,).
    """

    name: str
    unit: str
    interval: str
    source: str
    definition: str
    compute: Callable[[Substructure], Floats]

    def column(self) -> Column:
        """Column of the feature table."""
        return Column(self.name, "f4", self.unit, f"{self.definition} Range {self.interval}. {self.source}.")


REGISTRY: dict[str, Feature] = {}


def feature(
    *, unit: str, interval: str, source: str
) -> Callable[[Callable[[Substructure], Floats]], Callable[[Substructure], Floats]]:
    """Register the decorated function as the feature of its name."""

    def register(function: Callable[[Substructure], Floats]) -> Callable[[Substructure], Floats]:
        name = function.__name__
        definition = " ".join((inspect.getdoc(function) or "").split())
        REGISTRY[name] = Feature(name, unit, interval, source, definition, function)
        return function

    return register


def _polynomial_features(efp: EfpSettings) -> list[Feature]:
    if efp.graph is not None:
        graphs: Sequence[Sequence[tuple[int, int]]] = [efp.graph]
    else:
        graphs = graphs_up_to(efp.degree or 0)

    def compute(shared: Substructure, index: int) -> Floats:
        values: Floats = shared.polynomials(efp)[index]
        return values

    return [
        Feature(
            efp.name(graph),
            "1",
            "[0, inf)",
            POLYNOMIALS,
            f"Energy flow polynomial of the graph {' '.join(f'{a}-{b}' for a, b in graph)} with beta {efp.beta:g}.",
            partial(compute, index=index),
        )
        for index, graph in enumerate(graphs)
    ]


def chosen_features(entries: Sequence[str | Efp]) -> list[Feature]:
    """Look up the features of these names, and make those of these polynomials, in this order.

    Raises
    ------
    JetError
        Names the unknown ones and all that exist.
    """
    unknown = [entry for entry in entries if isinstance(entry, str) and entry not in REGISTRY]
    if unknown:
        raise JetError(
            f"features: {', '.join(map(repr, unknown))} not in the registry; choose from {', '.join(REGISTRY)}"
        )
    chosen: list[Feature] = []
    for entry in entries:
        chosen += [REGISTRY[entry]] if isinstance(entry, str) else _polynomial_features(entry.efp)
    return chosen


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def registry_table() -> str:
    """Markdown table of the registry, for docs/features.md."""
    rows = [f"| `{f.name}` | {f.unit} | {f.interval} | {f.definition} | {f.source} |\n" for f in REGISTRY.values()]
    return "| name | unit | range | definition | source |\n|---|---|---|---|---|\n" + "".join(rows)


def describe_registry() -> str:
    """Text of the registry: one paragraph a feature."""
    return "".join(
        f"{f.name} [{f.unit}], range {f.interval}\n    {f.definition}\n    Source: {f.source}\n"
        for f in REGISTRY.values()
    )


_NJETTINESS = "Thaler and Van Tilburg, JHEP 03 (2011) 015; choices of CMSSW"
_CORRELATORS = "Larkoski, Salam, Thaler, JHEP 06 (2013) 108"
_QUARK_GLUON = "CMS-PAS-JME-13-002"


@feature(unit="1", interval="[0, 1]", source=_NJETTINESS)
def tau2(shared: Substructure) -> Floats:
    """2-subjettiness.

    beta 1, normalised to R0 times the sum of pT, axes from exclusive kT and one minimisation pass; 0 for a jet with at
    most 2 constituents.
    """
    return shared.tau(2)


@feature(unit="1", interval="[0, 1]", source=_NJETTINESS)
def tau3(shared: Substructure) -> Floats:
    """3-subjettiness.

    beta 1, normalised to R0 times the sum of pT, axes from exclusive kT and one minimisation pass; 0 for a jet with at
    most 3 constituents.
    """
    return shared.tau(3)


@feature(unit="1", interval="[0, 2]", source=POLYNOMIALS)
def efp1(shared: Substructure) -> Floats:
    """Energy flow polynomial of the single edge.

    The sum of z_i z_j Delta R_ij over all ordered pairs (beta 1, kappa 1, z normalised to the sum of pT, rapidity and
    azimuth).
    """
    return 2.0 * shared.correlators[0]


@feature(unit="1", interval="[0, 1]", source=_CORRELATORS)
def c2(shared: Substructure) -> Floats:
    """Energy correlation ratio C2 = e3 / e2^2.

    beta 0.5, pairs i < j and triples i < j < k, rapidity and azimuth (EnergyFlow's C2 is 1.5 times this); 0 for a jet
    with fewer than 3 constituents or without extent.
    """
    _, e2, e3 = shared.correlators
    return _ratio(e3, e2**2)


@feature(unit="1", interval="[0, 1]", source=_QUARK_GLUON)
def axis_major(shared: Substructure) -> Floats:
    """Square root of the larger eigenvalue of the pT^2-weighted covariance of (eta, phi) about their mean."""
    return shared.shape[0]


@feature(unit="1", interval="[0, 1]", source=_QUARK_GLUON)
def axis_minor(shared: Substructure) -> Floats:
    """Square root of the smaller eigenvalue of the pT^2-weighted covariance of (eta, phi) about their mean."""
    return shared.shape[1]


@feature(unit="1", interval="(0, 1]", source=_QUARK_GLUON)
def ptd(shared: Substructure) -> Floats:
    """Square root of the sum of pT^2, over the sum of pT."""
    return shared.shape[2]


@feature(unit="GeV", interval="[0, inf)", source="Larkoski, Marzani, Soyez, Thaler, JHEP 05 (2014) 146")
def softdrop_mass(shared: Substructure) -> Floats:
    """Jet mass after soft drop.

    Cambridge/Aachen, zcut 0.1 and beta 0 unless the settings say otherwise; 0 for a jet of which a single constituent
    is left.
    """
    settings = shared.settings
    return grooming.soft_drop_mass(
        shared.cambridge_trees, settings.softdrop.zcut, settings.softdrop.beta, settings.radius
    )


@feature(unit="1", interval="[0, 1]", source=_NJETTINESS)
def tau1(shared: Substructure) -> Floats:
    """1-subjettiness.

    beta 1, normalised to R0 times the sum of pT, axis from the jet and one minimisation pass; 0 for a jet of one
    constituent.
    """
    return shared.tau(1)


@feature(unit="1", interval="[0, inf)", source=_NJETTINESS)
def tau21(shared: Substructure) -> Floats:
    """tau2 / tau1: small for two-pronged jets; 0 where tau1 is 0."""
    return _ratio(shared.tau(2), shared.tau(1))


@feature(unit="1", interval="[0, inf)", source=_NJETTINESS)
def tau32(shared: Substructure) -> Floats:
    """tau3 / tau2: small for three-pronged jets; 0 where tau2 is 0."""
    return _ratio(shared.tau(3), shared.tau(2))


@feature(unit="GeV", interval="[0, inf)", source="Invariant mass of the sum of momenta")
def mass(shared: Substructure) -> Floats:
    """Mass of the jet, ungroomed: the column of that name, also open to models."""
    return shared.jets.mass


@feature(unit="1", interval="[1, inf)", source="Number of particle-flow candidates with pT > 0")
def multiplicity(shared: Substructure) -> Floats:
    """Count the constituents."""
    return shared.jets.constituents.counts().astype(np.float64)


@feature(unit="1", interval="[0, inf)", source="Larkoski, Moult, Neill, JHEP 12 (2014) 009")
def d2(shared: Substructure) -> Floats:
    """Energy correlation ratio D2 = e3 / e2^3.

    beta 1, pairs i < j and triples i < j < k, rapidity and azimuth; 0 for a jet with fewer than 3 constituents or
    without extent.
    """
    e2, e3 = shared.correlators_beta1
    return _ratio(e3, e2**3)


@feature(unit="1", interval="[1, inf)", source="Medves, Soto-Ontoso, Soyez, JHEP 04 (2023) 104")
def lund_multiplicity(shared: Substructure) -> Floats:
    """Lund multiplicity.

    One, and one more for each branching of the Cambridge/Aachen tree (of every branch, not only the harder) with
    min(pT) Delta R above lund_kt_min, 1 GeV unless the settings say otherwise.
    """
    return grooming.lund_multiplicity(shared.cambridge_trees, shared.settings.lund_kt_min)
