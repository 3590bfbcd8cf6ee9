"""The branch names of the ROOT formats that oddjet reads, as data.

A layout says which branches hold the candidates, the event identifiers, the generator weight and the truth
particles. The reader (`oddjet.io.root`) knows no branch name of its own: a new format is a new row of `LAYOUTS`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Momenta:
    """Branches of one collection of four-momenta, one entry a particle.

    Attributes
    ----------
    pt, eta, phi : str
        Transverse momentum (or transverse energy) in GeV, pseudorapidity, azimuth in radians.
    mass : str or None
        Mass in GeV; None where the format has none (calorimeter towers: massless).
    weight : str or None
        PUPPI weight of a candidate; None where the format has none, optional in the file otherwise.
    """

    pt: str
    eta: str
    phi: str
    mass: str | None = None
    weight: str | None = None

    def required(self) -> tuple[str, ...]:
        """Branches without which the collection cannot be read."""
        return (self.pt, self.eta, self.phi) + ((self.mass,) if self.mass else ())


@dataclass(frozen=True)
class Truth:
    """Branches of the generator particles: momenta, PDG identifiers and status codes."""

    momenta: Momenta
    pdg_id: str
    status: str

    def required(self) -> tuple[str, ...]:
        """Branches that must all be there for the file to have truth."""
        return (*self.momenta.required(), self.pdg_id, self.status)


@dataclass(frozen=True)
class Jets:
    """Branches of the file's own large-radius jets and of the table that links them to candidates.

    Attributes
    ----------
    momenta : Momenta
    jet_index, candidate_index : str
        One entry a (jet, candidate) pair: position of the jet in its collection and of the candidate in the first
        candidate collection.
    """

    momenta: Momenta
    jet_index: str
    candidate_index: str

    def required(self) -> tuple[str, ...]:
        """Branches without which the file's own jets cannot be used."""
        return (*self.momenta.required(), self.jet_index, self.candidate_index)


@dataclass(frozen=True)
class Layout:
    """One supported format.

    Attributes
    ----------
    name : str
    tree : str
        Name of the TTree or RNTuple.
    candidates : tuple of Momenta
        Collections that together are the event's candidates; the first one is what jets refer to.
    run, luminosity_block, event : str or None
        Event identifiers; None for the first two where the format has none (they are then 1).
    weight : str or None
        Generator weight, optional in the file.
    generated : tuple of str, or None
        Tree and branch with sums of generator weights before any skimming, optional in the file.
    truth : Truth or None
    jets : Jets or None
    """

    name: str
    tree: str
    candidates: tuple[Momenta, ...]
    run: str | None
    luminosity_block: str | None
    event: str
    weight: str | None
    generated: tuple[str, str] | None
    truth: Truth | None
    jets: Jets | None

    def known(self) -> tuple[str, ...]:
        """Every branch that the layout can use."""
        optional = [self.weight, *(group.weight for group in self.candidates)]
        others = [group.required() for group in (self.truth, self.jets) if group]
        return (
            self.required()
            + tuple(name for name in optional if name)
            + tuple(name for group in others for name in group)
        )

    def required(self) -> tuple[str, ...]:
        """Branches that tell the layout: every file of this layout has them."""
        identifiers = tuple(name for name in (self.run, self.luminosity_block, self.event) if name)
        return tuple(name for group in self.candidates for name in group.required()) + identifiers


def _nanoaod(name: str, candidates: Momenta, jets: Jets) -> Layout:
    return Layout(
        name=name,
        tree="Events",
        candidates=(candidates,),
        run="run",
        luminosity_block="luminosityBlock",
        event="event",
        weight="genWeight",
        generated=("Runs", "genEventSumw"),
        truth=Truth(
            Momenta("GenPart_pt", "GenPart_eta", "GenPart_phi", "GenPart_mass"), "GenPart_pdgId", "GenPart_status"
        ),
        jets=jets,
    )


_FAT_JET = Momenta("FatJet_pt", "FatJet_eta", "FatJet_phi", "FatJet_mass")

PFNANO = _nanoaod(
    "pfnano",
    Momenta("PFCands_pt", "PFCands_eta", "PFCands_phi", "PFCands_mass", "PFCands_puppiWeight"),
    Jets(_FAT_JET, "FatJetPFCands_jetIdx", "FatJetPFCands_pFCandsIdx"),
)

NANOAOD_V15 = _nanoaod(
    "nanoaod_v15",
    Momenta("PFCand_pt", "PFCand_eta", "PFCand_phi", "PFCand_mass"),
    Jets(_FAT_JET, "FatJetPFCand_jetIdx", "FatJetPFCand_pfCandIdx"),
)

DELPHES = Layout(
    name="delphes",
    tree="Delphes",
    candidates=(
        Momenta("EFlowTrack.PT", "EFlowTrack.Eta", "EFlowTrack.Phi"),
        Momenta("EFlowPhoton.ET", "EFlowPhoton.Eta", "EFlowPhoton.Phi"),
        Momenta("EFlowNeutralHadron.ET", "EFlowNeutralHadron.Eta", "EFlowNeutralHadron.Phi"),
    ),
    run=None,
    luminosity_block=None,
    event="Event.Number",
    weight="Event.Weight",
    generated=None,
    truth=Truth(
        Momenta("Particle.PT", "Particle.Eta", "Particle.Phi", "Particle.Mass"), "Particle.PID", "Particle.Status"
    ),
    jets=None,
)

LAYOUTS: tuple[Layout, ...] = (PFNANO, NANOAOD_V15, DELPHES)
