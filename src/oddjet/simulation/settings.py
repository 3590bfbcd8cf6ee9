"""Settings of the simulation: what collides, which process, which detector."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, RootModel, model_validator

from oddjet.settings import Settings

# The branches of the files that are made, here where they can be checked before anything heavy is imported.
BRANCHES = (
    *("run", "luminosityBlock", "event", "genWeight", "MET_pt", "MET_phi", "nDarkHadrons", "invisibleFraction"),
    *("nPFCands", *(f"PFCands_{name}" for name in ("pt", "eta", "phi", "mass", "pdgId", "charge", "puppiWeight"))),
    *("nGenPart", *(f"GenPart_{name}" for name in ("pt", "eta", "phi", "mass", "pdgId", "status", "genPartIdxMother"))),
)

Probability = Annotated[float, Field(ge=0, le=1)]


class TopPairs(Settings):
    """Pair production of top quarks (gg and qqbar to ttbar)."""

    name: Literal["top_pairs"] = "top_pairs"
    pthat_min: float = Field(default=450.0, ge=0, description="smallest transverse momentum of the hard process, GeV")


class Qcd(Settings):
    """All hard QCD two-to-two processes of light quarks and gluons."""

    name: Literal["qcd"] = "qcd"
    pthat_min: float = Field(default=450.0, ge=20, description="smallest transverse momentum of the hard process, GeV")


class HadronicW(Settings):
    """A W boson that decays to quarks, recoiling against a quark or a gluon."""

    name: Literal["hadronic_w"] = "hadronic_w"
    pthat_min: float = Field(default=450.0, ge=20, description="smallest transverse momentum of the hard process, GeV")


class SemivisibleJets(Settings):
    """Pair production of scalar bifundamental mediators, each decaying to a down quark and a dark quark."""

    name: Literal["svj"] = "svj"
    m_phi: float = Field(ge=200, le=6000, description="mass of the mediator, GeV")
    r_inv: Probability = Field(description="probability that a dark hadron decays to invisible particles")
    m_dark: float = Field(
        default=20.0, ge=4, le=100, description="mass of the dark hadrons, GeV; the dark quark has half of it"
    )
    alpha: Literal["peak", "low", "high"] | None = Field(
        default=None,
        description="dark coupling at 1 TeV: 'peak' follows from Lambda = 3.2 m_dark^0.8, "
        "'low' and 'high' are 0.5 and 1.5 times it; null: 'peak', or what lambda_dark gives",
    )
    lambda_dark: float | None = Field(
        default=None, gt=0.1, lt=500, description="confinement scale Lambda in place of alpha, GeV"
    )

    @model_validator(mode="after")
    def _consistent(self) -> SemivisibleJets:
        if self.lambda_dark is not None and self.alpha is not None:
            raise ValueError("give alpha or lambda_dark, not both: each fixes the dark coupling")
        if self.m_phi < 10 * self.m_dark:
            raise ValueError(
                f"m_phi = {self.m_phi:g} GeV must be at least 10 m_dark = {10 * self.m_dark:g} GeV, "
                "or the mediator decays to a few dark hadrons instead of a jet of them"
            )
        return self


class Process(RootModel[Annotated[TopPairs | Qcd | HadronicW | SemivisibleJets, Field(discriminator="name")]]):
    """Any process, told apart by its `name`."""

    model_config = ConfigDict(frozen=True)


class TrackRegion(Settings):
    """Response of the tracker up to one pseudorapidity; the relative pT resolution is constant (+) slope pT."""

    eta_max: float = Field(gt=0, description="upper end of the region in |eta|; it starts where the one before ends")
    efficiency_soft: Probability = Field(description="efficiency for charged hadrons below 1 GeV of pT")
    efficiency: Probability = Field(description="efficiency for charged hadrons above 1 GeV of pT")
    constant: float = Field(ge=0, description="constant term of the relative pT resolution")
    slope: float = Field(ge=0, description="term of the relative pT resolution that grows with pT, 1/GeV")


class CalorimeterRegion(Settings):
    """Energy resolution up to one pseudorapidity: sigma = noise (+) stochastic sqrt(E) (+) constant E."""

    eta_max: float = Field(gt=0, description="upper end of the region in |eta|; it starts where the one before ends")
    noise: float = Field(ge=0, description="noise term, GeV")
    stochastic: float = Field(ge=0, description="stochastic term, sqrt(GeV)")
    constant: float = Field(ge=0, description="constant term")


def _require_ascending(regions: tuple[TrackRegion, ...] | tuple[CalorimeterRegion, ...]) -> None:
    edges = [region.eta_max for region in regions]
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"eta_max must grow from region to region, given: {edges}")


class Calorimeter(Settings):
    """Cells, thresholds and resolution of a calorimeter."""

    phi_cells: int = Field(gt=0, description="cells around the beam up to |eta| = 3; as wide in eta as in phi")
    energy_min: float = Field(ge=0, description="smallest energy of a cell that is kept, GeV")
    significance_min: float = Field(ge=0, description="smallest energy of a cell in units of its resolution")
    regions: tuple[CalorimeterRegion, ...] = Field(min_length=1, description="resolution by |eta|, from the centre")

    @model_validator(mode="after")
    def _ordered(self) -> Calorimeter:
        _require_ascending(self.regions)
        return self


class DetectorSettings(Settings):
    """A parametric CMS-like detector; the defaults and their sources stand in docs/simulation.md."""

    track_pt_min: float = Field(default=0.4, ge=0, description="smallest pT of a track, GeV")
    lepton_efficiency: Probability = Field(default=0.98, description="track efficiency for electrons and muons")
    tracker: tuple[TrackRegion, ...] = Field(
        default=(
            TrackRegion(eta_max=0.5, efficiency_soft=0.70, efficiency=0.95, constant=0.010, slope=1.5e-4),
            TrackRegion(eta_max=1.5, efficiency_soft=0.70, efficiency=0.95, constant=0.015, slope=2.5e-4),
            TrackRegion(eta_max=2.5, efficiency_soft=0.60, efficiency=0.85, constant=0.025, slope=5.5e-4),
        ),
        min_length=1,
        description="tracker by |eta|, from the centre; no tracks beyond the last region",
    )
    ecal: Calorimeter = Field(
        default=Calorimeter(
            phi_cells=360,
            energy_min=0.5,
            significance_min=2.0,
            regions=(
                CalorimeterRegion(eta_max=2.5, noise=0.40, stochastic=0.11, constant=0.008),
                CalorimeterRegion(eta_max=5.0, noise=0.0, stochastic=2.08, constant=0.107),
            ),
        ),
        description="electromagnetic calorimeter; within |eta| < 2.5 its resolution also grows with |eta|",
    )
    hcal: Calorimeter = Field(
        default=Calorimeter(
            phi_cells=72,
            energy_min=1.0,
            significance_min=2.0,
            regions=(
                CalorimeterRegion(eta_max=3.0, noise=0.0, stochastic=1.50, constant=0.050),
                CalorimeterRegion(eta_max=5.0, noise=0.0, stochastic=2.70, constant=0.130),
            ),
        ),
        description="hadron calorimeter",
    )

    @model_validator(mode="after")
    def _ordered(self) -> DetectorSettings:
        _require_ascending(self.tracker)
        return self


class SimulationSettings(Settings):
    """What all simulated samples have in common."""

    com_energy: float = Field(
        default=13000.0, ge=1000, le=100000, description="centre-of-mass energy of the protons, GeV"
    )
    multiparton_interactions: bool = Field(
        default=True,
        description="simulate the underlying event; top pairs are 4 times faster without, features shift",
    )
    ctau_max: float = Field(
        default=10.0, gt=0, description="particles with a longer mean decay length are stable for the generator, mm"
    )
    failed_fraction_max: float = Field(
        default=0.01, ge=0, lt=1, description="largest fraction of events that Pythia may give up before the job fails"
    )
    detector: DetectorSettings = Field(default=DetectorSettings(), description="detector response")
