"""The branch names of the ROOT formats that oddjet reads, as data.

A layout says which branches hold the candidates, the event identifiers, the generator weight and the truth
particles, under all the names that a format has given them, and which columns change what others mean. The reader
(`oddjet.io.root`) knows no branch name of its own: a new format is a new row of `LAYOUTS`, or is declared in the
configuration (`oddjet.io.declared_layouts`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Momenta:
    """Branches of one collection of four-momenta, one entry a particle.

    Attributes
    ----------
    pt, eta, phi : str
        Transverse momentum (or transverse energy), pseudorapidity, azimuth in radians. Where `cartesian` is given,
        they are no branches and only name what is computed.
    mass : str or None
        None where the format has none (calorimeter towers: massless).
    energy : str or None
        In the place of the mass, which is computed from it.
    cartesian : tuple of str, or None
        px, py and pz in the place of pT, pseudorapidity and azimuth.
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
    energy: str | None = None
    cartesian: tuple[str, str, str] | None = None

    def required(self) -> tuple[str, ...]:
        """Branches without which the collection cannot be read."""
        last = self.energy or self.mass
        return (self.cartesian or (self.pt, self.eta, self.phi)) + ((last,) if last else ())

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
    mother : str or None
        Position of the particle's mother among the event's, -1 for none; optional, for decay products alone.
    """

    momenta: Momenta
    pdg_id: str
    status: str
    mother: str | None = None

    def required(self) -> tuple[str, ...]:
        """Branches that must all be there for the file to have truth."""
        return (*self.momenta.required(), self.pdg_id, self.status)

    def mothers(self) -> tuple[str, ...]:
        """Branches that tell decay products."""
        return (self.mother,) if self.mother else ()


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
        in the first candidate collection.
    constituents : str or None
        In the place of links: a list of positions of candidates for each jet of an event; or, where the file has
        `counts`, all of an event in one list.
    counts : str or None
        Numbers of constituents of the jets; optional in the file.
    alone : bool
        Every entry of the tree is one jet, whose momentum is a number and whose constituents are all candidates.
    """

    momenta: Momenta
    raw_factor: str | None = None
    links: tuple[str, str] | None = None
    constituents: str | None = None
    counts: str | None = None
    alone: bool = False

    def linked(self) -> bool:
        """Tell whether the format says which candidates a jet is made of."""
        return self.alone or self.links is not None or self.constituents is not None

    def collection(self) -> str:
        """Return what the names of all branches of these jets begin with, `FatJet` of `FatJet_pt` or `FatJet.PT`."""
        return re.split(r"[_.]", self.momenta.pt)[0]

    def required(self) -> tuple[str, ...]:
        """Branches without which the file's own jets cannot be used."""
        one = (self.constituents,) if self.constituents else ()
        return (*self.momenta.required(), *(self.links or one))


@dataclass(frozen=True)
class Layout:
    """One supported format.

    Attributes
    ----------
    name : str
    tree : str
        Name of the TTree or RNTuple, with the folders that it lies in.
    candidates : tuple of Momenta
        Collections that together are the event's candidates; the first one is what jets refer to.
    run, luminosity_block, event : str or None
        Event identifiers. Where the format has none, run and luminosity block are 1, and the number of an event is its
        position in the file.
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
    unit : float
        GeV in the unit of all momenta, energies and masses.
    declared : bool
        By the configuration: what it names is not optional in a file, but for what data lack.
    """

    name: str
    tree: str
    candidates: tuple[Momenta, ...]
    run: str | None
    luminosity_block: str | None
    event: str | None
    weight: str | None
    generated: tuple[str, tuple[str, ...]] | None
    truth: Truth | None
    jets: JetBranches | None
    weighted: bool
    versions: str
    unit: float = 1.0
    declared: bool = False

    def known(self) -> tuple[str, ...]:
        """Every branch that the layout can use."""
        return (
            *self.required(),
            *(name for group in self.candidates for name in group.optional()),
            *self.not_of_data(),
        )

    def not_of_data(self) -> tuple[str, ...]:
        """Branches that only some files have: the generator's, and those of the file's own jets."""
        names: list[str | None] = [self.weight]
        if self.truth:
            names += [*self.truth.required(), self.truth.mother]
        if self.jets:
            names += [*self.jets.required(), self.jets.raw_factor, self.jets.counts]
        return tuple(name for name in names if name)

    def required(self) -> tuple[str, ...]:
        """Branches that tell the layout: every file of this layout has them."""
        identifiers = tuple(name for name in (self.run, self.luminosity_block, self.event) if name)
        weights = tuple(group.weight for group in self.candidates if self.declared and group.weight)
        return tuple(name for group in self.candidates for name in group.required()) + weights + identifiers


_FAT_JET = Momenta("FatJet_pt", "FatJet_eta", "FatJet_phi", "FatJet_mass")


def _nanoaod(name: str, candidates: Momenta, jets: JetBranches, *, weighted: bool, versions: str) -> Layout:
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
        jets=jets,
        weighted=weighted,
        versions=versions,
    )


PFNANO = _nanoaod(
    "pfnano",
    Momenta("PFCands_pt", "PFCands_eta", "PFCands_phi", "PFCands_mass", weight="PFCands_puppiWeight"),
    JetBranches(_FAT_JET, "FatJet_rawFactor", ("FatJetPFCands_jetIdx", "FatJetPFCands_pFCandsIdx")),
    weighted=False,
    versions="PFNano (NanoAOD with PFCands) and oddjet's own simulation",
)

# NanoAOD itself multiplies pT and mass with the PUPPI weight (CMSSW, jetConstituents_cff) and stores no weight;
# JetMET's JMEPFNano has the same names, momenta without and the weight beside them.
NANOAOD_V15 = _nanoaod(
    "nanoaod_v15",
    Momenta("PFCand_pt", "PFCand_eta", "PFCand_phi", "PFCand_mass", weight="PFCand_puppiWeight"),
    JetBranches(_FAT_JET, "FatJet_rawFactor", ("FatJetPFCand_jetIdx", "FatJetPFCand_pfCandIdx")),
    weighted=True,
    versions="NanoAOD from v15 on (earlier versions hold no candidates), JMEPFNano",
)

# CMSSW, run3scouting_cff: the table of candidates is made on demand, and the jets clustered from it are not calibrated.
SCOUTING = _nanoaod(
    "scouting_nano",
    Momenta("ScoutingPFCandidate_pt", "ScoutingPFCandidate_eta", "ScoutingPFCandidate_phi", "ScoutingPFCandidate_mass"),
    JetBranches(
        Momenta(
            "ScoutingFatPFJetRecluster_pt",
            "ScoutingFatPFJetRecluster_eta",
            "ScoutingFatPFJetRecluster_phi",
            "ScoutingFatPFJetRecluster_mass",
        )
    ),
    weighted=False,
    versions="NanoAOD of Run 3 scouting with the table ScoutingPFCandidate",
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
    jets=JetBranches(Momenta("FatJet.PT", "FatJet.Eta", "FatJet.Phi", "FatJet.Mass")),
    weighted=False,
    versions="Delphes with the branches EFlowTrack, EFlowPhoton and EFlowNeutralHadron",
)


def _split_vector(name: str, weight: str | None = None) -> Momenta:
    """Name the leaves of a vector of ROOT's four-vectors in pT, pseudorapidity, azimuth and energy."""
    pt, eta, phi, energy = (f"{name}.fCoordinates.f{part}" for part in ("Pt", "Eta", "Phi", "E"))
    return Momenta(pt, eta, phi, f"mass of {energy}", energy=energy, weight=weight)


# Only candidates inside jets. Its lists of constituents are one an event with the counts beside, and were one a jet.
TREEMAKER = Layout(
    name="treemaker",
    tree="PreSelection",
    candidates=(_split_vector("JetsConstituents", "JetsConstituents_PuppiWeight"),),
    run="RunNum",
    luminosity_block="LumiBlockNum",
    event="EvtNum",
    weight="Weight",
    generated=None,
    truth=Truth(_split_vector("GenParticles"), "GenParticles_PdgId", "GenParticles_Status", "GenParticles_ParentIdx"),
    jets=JetBranches(
        _split_vector("JetsAK8"), constituents="JetsAK8_constituentsIndex", counts="JetsAK8_constituentsIndexCounts"
    ),
    weighted=False,
    versions="TreeMaker ntuples with JetsConstituents",
)

# One entry a jet, and no number that tells an event.
JETCLASS = Layout(
    name="jetclass",
    tree="tree",
    candidates=(
        Momenta(
            "pT of part_px, part_py",
            "pseudorapidity of part_px, part_py, part_pz",
            "azimuth of part_px, part_py",
            "mass of part_energy",
            energy="part_energy",
            cartesian=("part_px", "part_py", "part_pz"),
        ),
    ),
    run=None,
    luminosity_block=None,
    event=None,
    weight=None,
    generated=None,
    truth=None,
    jets=JetBranches(Momenta("jet_pt", "jet_eta", "jet_phi", "mass of jet_energy", energy="jet_energy"), alone=True),
    weighted=False,
    versions="JetClass (one jet an entry)",
)

LAYOUTS: tuple[Layout, ...] = (PFNANO, NANOAOD_V15, SCOUTING, DELPHES, TREEMAKER, JETCLASS)
