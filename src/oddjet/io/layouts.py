"""The branch names of the ROOT formats that oddjet reads, as data.

A layout says which branches hold the candidates, the event identifiers, the generator weight and the truth
particles, under all the names that a format has given them, and which columns change what others mean. The reader
(`oddjet.io.root`) knows no branch name of its own: a new format is a new row of `LAYOUTS`.
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
    optional_mass : str or None
        Mass that only some versions of the format have; the particles are massless in the others.
    weight : str or None
        PUPPI weight of a candidate; None where the format has none, optional in the file otherwise. It is not applied
        where the title of the branch `pt` says that it is in there already.
    """

    pt: str
    eta: str
    phi: str
    mass: str | None = None
    optional_mass: str | None = None
    weight: str | None = None

    def required(self) -> tuple[str, ...]:
        """Branches without which the collection cannot be read."""
        return (self.pt, self.eta, self.phi) + ((self.mass,) if self.mass else ())

    def optional(self) -> tuple[str, ...]:
        """Branches that are used where the file has them."""
        return tuple(name for name in (self.optional_mass, self.weight) if name)


@dataclass(frozen=True)
class Truth:
    """Branches of the generator particles: momenta, PDG identifiers and status codes.

    Attributes
    ----------
    momenta : Momenta
    pdg_id, status : str
    mother : str
        Position of the particle's mother among the event's, -1 for none; optional, for decay products alone.
    """

    momenta: Momenta
    pdg_id: str
    status: str
    mother: str

    def required(self) -> tuple[str, ...]:
        """Branches that must all be there for the file to have truth."""
        return (*self.momenta.required(), self.pdg_id, self.status)


@dataclass(frozen=True)
class JetBranches:
    """Branches of the file's own large-radius jets and of the table that links them to candidates.

    Attributes
    ----------
    momenta : Momenta
    raw_factor : str or None
        One minus uncalibrated over calibrated momentum; optional, 0 without it.
    links : tuple of str, or None
        Two branches with one entry a (jet, candidate) pair: position of the jet in its collection, and of the candidate
        in the first candidate collection. None where the format links none.
    radius : float
        R of anti-kT that the format's jets usually have.
    """

    momenta: Momenta
    raw_factor: str | None
    links: tuple[str, str] | None
    radius: float = 0.8

    def required(self) -> tuple[str, ...]:
        """Branches without which the file's own jets cannot be used."""
        return (*self.momenta.required(), *(self.links or ()))


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
    generated : tuple of str and tuple of str, or None
        Tree with sums of generator weights before any skimming and the names that the branch has had, optional.
    truth : Truth or None
    jets : JetBranches or None
    weighted : bool
        The candidates' momenta hold their PUPPI weights already, unless the file has a weight beside them.
    versions : str
        Which files are of this format, for messages.
    """

    name: str
    tree: str
    candidates: tuple[Momenta, ...]
    run: str | None
    luminosity_block: str | None
    event: str
    weight: str | None
    generated: tuple[str, tuple[str, ...]] | None
    truth: Truth | None
    jets: JetBranches | None
    weighted: bool
    versions: str

    def known(self) -> tuple[str, ...]:
        """Every branch that the layout can use."""
        names = [*self.required(), self.weight or self.event]
        for group in self.candidates:
            names += group.optional()
        if self.truth:
            names += [*self.truth.required(), self.truth.mother]
        if self.jets:
            names += [*self.jets.required(), self.jets.raw_factor or self.event]
        return tuple(names)

    def required(self) -> tuple[str, ...]:
        """Branches that tell the layout: every file of this layout has them."""
        identifiers = tuple(name for name in (self.run, self.luminosity_block, self.event) if name)
        return tuple(name for group in self.candidates for name in group.required()) + identifiers


_FAT_JET = Momenta("FatJet_pt", "FatJet_eta", "FatJet_phi", "FatJet_mass")


def _nanoaod(name: str, candidates: Momenta, links: tuple[str, str], *, weighted: bool, versions: str) -> Layout:
    return Layout(
        name=name,
        tree="Events",
        candidates=(candidates,),
        run="run",
        luminosity_block="luminosityBlock",
        event="event",
        weight="genWeight",
        # With the underscore: NanoAOD v6 and v7 of CMSSW 10_2.
        generated=("Runs", ("genEventSumw", "genEventSumw_")),
        truth=Truth(
            Momenta("GenPart_pt", "GenPart_eta", "GenPart_phi", "GenPart_mass"),
            "GenPart_pdgId",
            "GenPart_status",
            "GenPart_genPartIdxMother",
        ),
        jets=JetBranches(_FAT_JET, "FatJet_rawFactor", links),
        weighted=weighted,
        versions=versions,
    )


PFNANO = _nanoaod(
    "pfnano",
    Momenta("PFCands_pt", "PFCands_eta", "PFCands_phi", "PFCands_mass", weight="PFCands_puppiWeight"),
    ("FatJetPFCands_jetIdx", "FatJetPFCands_pFCandsIdx"),
    weighted=False,
    versions="PFNano (NanoAOD with PFCands) and oddjet's own simulation",
)

# NanoAOD itself multiplies pT and mass with the PUPPI weight (CMSSW, jetConstituents_cff) and stores no weight;
# JetMET's JMEPFNano has the same names, momenta without and the weight beside them.
NANOAOD_V15 = _nanoaod(
    "nanoaod_v15",
    Momenta("PFCand_pt", "PFCand_eta", "PFCand_phi", "PFCand_mass", weight="PFCand_puppiWeight"),
    ("FatJetPFCand_jetIdx", "FatJetPFCand_pfCandIdx"),
    weighted=True,
    versions="NanoAOD from v15 on (earlier versions hold no candidates), JMEPFNano",
)

DELPHES = Layout(
    name="delphes",
    tree="Delphes",
    candidates=(
        # From Delphes 3.5 on tracks have masses, and its jets are made with them.
        Momenta("EFlowTrack.PT", "EFlowTrack.Eta", "EFlowTrack.Phi", optional_mass="EFlowTrack.Mass"),
        Momenta("EFlowPhoton.ET", "EFlowPhoton.Eta", "EFlowPhoton.Phi"),
        Momenta("EFlowNeutralHadron.ET", "EFlowNeutralHadron.Eta", "EFlowNeutralHadron.Phi"),
    ),
    run=None,
    luminosity_block=None,
    event="Event.Number",
    weight="Event.Weight",
    generated=None,
    truth=Truth(
        Momenta("Particle.PT", "Particle.Eta", "Particle.Phi", "Particle.Mass"),
        "Particle.PID",
        "Particle.Status",
        "Particle.M1",
    ),
    jets=JetBranches(Momenta("FatJet.PT", "FatJet.Eta", "FatJet.Phi", "FatJet.Mass"), None, None),
    weighted=False,
    versions="Delphes with the branches EFlowTrack, EFlowPhoton and EFlowNeutralHadron",
)

LAYOUTS: tuple[Layout, ...] = (PFNANO, NANOAOD_V15, DELPHES)
