"""Layouts that the configuration declares under `features.layouts`, as rows beside the built-in ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from oddjet.io.layouts import JetBranches, Layout, Momenta, Truth
from oddjet.settings import Settings

GEV = {"GeV": 1.0, "MeV": 1e-3, "TeV": 1e3}


class MomentaSettings(Settings):
    """Branches of one collection of four-momenta."""

    pt: str | None = Field(default=None, description="Branch of the transverse momentum.")
    eta: str | None = Field(default=None, description="Branch of the pseudorapidity.")
    phi: str | None = Field(default=None, description="Branch of the azimuth (rad).")
    px: str | None = Field(default=None, description="With py and pz in the place of pt, eta and phi.")
    py: str | None = Field(default=None, description="See px.")
    pz: str | None = Field(default=None, description="See px.")
    mass: str | None = Field(default=None, description="Branch of the mass; without mass and energy all are massless.")
    energy: str | None = Field(default=None, description="Branch of the energy, in the place of the mass.")

    @model_validator(mode="after")
    def _one_set(self) -> MomentaSettings:
        polar, cartesian = (self.pt, self.eta, self.phi), (self.px, self.py, self.pz)
        sets = [names for names in (polar, cartesian) if any(names)]
        if len(sets) != 1 or not all(sets[0]):
            raise ValueError("name the branches of pt, eta and phi, or those of px, py and pz")
        if self.mass and self.energy:
            raise ValueError("mass and energy are both named; give one")
        names = [name for name in (*sets[0], self.mass, self.energy) if name]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"the branch {twice} is named twice")
        return self

    def momenta(self, weight: str | None = None) -> Momenta:
        """Give the row that the reader knows."""
        mass = f"mass of {self.energy}" if self.energy else self.mass
        if self.pt and self.eta and self.phi:
            return Momenta(self.pt, self.eta, self.phi, mass, weight=weight, energy=self.energy)
        axes = (self.px or "", self.py or "", self.pz or "")
        pt, eta, phi = (f"{name} of {', '.join(axes)}" for name in ("pT", "eta", "phi"))
        return Momenta(pt, eta, phi, mass, weight=weight, energy=self.energy, cartesian=axes)


class CandidateSettings(MomentaSettings):
    """Branches of one collection of candidates."""

    puppi_weight: str | None = Field(default=None, description="Branch of the PUPPI weight, which is applied.")


class TruthSettings(MomentaSettings):
    """Branches of the generator's particles."""

    pdg_id: str = Field(description="Branch of the PDG identifier.")
    status: str = Field(description="Branch of the status code.")
    mother: str | None = Field(
        default=None,
        description="Branch of the mother's position among the particles, -1 for none (dark_jet needs it).",
    )


class JetSettings(MomentaSettings):
    """Branches of the file's own large-radius jets."""

    raw_factor: str | None = Field(
        default=None, description="Branch of one minus uncalibrated over calibrated momentum, as NanoAOD has it."
    )
    jet_index: str | None = Field(
        default=None, description="Of a table of pairs: branch of the jet's position; with candidate_index."
    )
    candidate_index: str | None = Field(
        default=None, description="Of a table of pairs: branch of the candidate's position in the first collection."
    )
    constituents: str | None = Field(
        default=None, description="Branch with a list of positions of candidates a jet, in the place of pairs."
    )
    counts: str | None = Field(
        default=None, description="Where constituents is one list an event: branch of the number of them a jet."
    )
    one_an_entry: bool = Field(
        default=False, description="Every entry is one jet: its momentum is a number, all candidates are its own."
    )

    @model_validator(mode="after")
    def _one_way(self) -> JetSettings:
        if bool(self.jet_index) != bool(self.candidate_index):
            raise ValueError("jet_index and candidate_index belong together; name both")
        if bool(self.jet_index) + bool(self.constituents) + self.one_an_entry > 1:
            raise ValueError("constituents are told in one way: a table of pairs, constituents, or one_an_entry")
        if self.counts and not self.constituents:
            raise ValueError("counts says how constituents is cut, which is not named")
        return self


class GeneratedSettings(Settings):
    """Where the sum of the generator weights of all events lies, from before a skim."""

    tree: str = Field(description="Tree with one entry a run or file.")
    branch: str = Field(description="Its branch.")


def _list(value: object) -> object:
    return [value] if isinstance(value, dict | CandidateSettings) else value


class LayoutSettings(Settings):
    """A format of ROOT files of one's own."""

    tree: str = Field(description="TTree or RNTuple, with the folders that it lies in: analysis/Events.")
    unit: Literal["GeV", "MeV", "TeV"] = Field(default="GeV", description="Of all momenta, energies and masses.")
    candidates: Annotated[tuple[CandidateSettings, ...], BeforeValidator(_list)] = Field(
        min_length=1, description="Collections that together are the candidates; jets refer to the first."
    )
    puppi_applied: bool = Field(default=False, description="The momenta hold their PUPPI weights already.")
    run: str | None = Field(default=None, description="Branch of the run number; 1 without.")
    luminosity_block: str | None = Field(default=None, description="Branch of the luminosity block; 1 without.")
    event: str | None = Field(
        default=None, description="Branch of the event number; without, the position of the event in its file."
    )
    weight: str | None = Field(default=None, description="Branch of the generator weight.")
    generated: GeneratedSettings | None = Field(default=None, description="Sum of the weights before a skim.")
    truth: TruthSettings | None = Field(default=None, description="The generator's particles.")
    jets: JetSettings | None = Field(default=None, description="The file's own large-radius jets.")

    @model_validator(mode="after")
    def _consistent(self) -> LayoutSettings:
        if self.tree != self.tree.strip("/") or not self.tree:
            raise ValueError(f"tree: {self.tree!r} is no name of a tree, as Events or analysis/Events")
        if self.puppi_applied and any(group.puppi_weight for group in self.candidates):
            raise ValueError("puppi_applied: the weights are in the momenta, and puppi_weight would apply them again")
        return self

    def layout(self, name: str) -> Layout:
        """Give the row that the reader knows."""
        truth, jets = self.truth, self.jets
        links = (jets.jet_index, jets.candidate_index) if jets and jets.jet_index and jets.candidate_index else None
        return Layout(
            name=name,
            tree=self.tree,
            candidates=tuple(group.momenta(group.puppi_weight) for group in self.candidates),
            run=self.run,
            luminosity_block=self.luminosity_block,
            event=self.event,
            weight=self.weight,
            generated=(self.generated.tree, (self.generated.branch,)) if self.generated else None,
            truth=Truth(truth.momenta(), truth.pdg_id, truth.status, truth.mother) if truth else None,
            jets=JetBranches(
                jets.momenta(), jets.raw_factor, links, jets.constituents, jets.counts, alone=jets.one_an_entry
            )
            if jets
            else None,
            weighted=self.puppi_applied,
            versions="declared under features.layouts",
            unit=GEV[self.unit],
            declared=True,
        )
