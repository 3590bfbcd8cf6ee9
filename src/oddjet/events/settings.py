"""Settings of whole events: samples and objects, inputs of the autoencoders, distances, scores, test sets."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from oddjet.detectors.autoencoder.settings import MethodSettings, NetworkSettings, TrainingSettings
from oddjet.settings import Settings
from oddjet.simulation.parts import events_of_file

ProcessName = Literal["w_lnu", "z_ll", "top_pairs", "qcd_lepton", "a_4l", "h0_tautau", "hpm_taunu", "lq_taub"]
PARTS = ("train", "validation", "test")
FILES = "own files of the layout of CMS ADC 2021, in the place of a process"


class EventSample(Settings):
    """Where the events of a sample come from: Pythia, or files."""

    process: ProcessName | None = Field(default=None, description="the process that Pythia makes")
    files: tuple[str, ...] = Field(default=(), description=FILES)
    parts: int = Field(default=1, gt=0, description="number of files (and jobs) that a simulated sample is spread over")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.process is None) == (not self.files):
            raise ValueError("give either process or files")
        return self


class BackgroundSample(EventSample):
    """A part of the background."""

    fraction: float = Field(gt=0, le=1, description="its share of the selected background events")


class ObjectSettings(Settings):
    """Objects and the selection of events; the defaults are those of CMS ADC 2021."""

    trigger_pt_min: float = Field(default=23.0, ge=20, description="an electron or a muon must have more pT, GeV")
    egamma_pt_min: float = Field(default=3.0, gt=0, description="smallest pT of electrons and photons, GeV")
    egamma_eta_max: float = Field(default=3.0, gt=0, le=5, description="electrons and photons lie within this |eta|")
    photons: bool = Field(default=True, description="isolated photons are e/gamma objects too (never the trigger's)")
    muon_pt_min: float = Field(default=3.0, gt=0, description="smallest pT of muons, GeV")
    muon_eta_max: float = Field(default=2.1, gt=0, le=5, description="muons lie within this |eta|")
    jet_pt_min: float = Field(default=15.0, gt=0, description="smallest pT of jets, GeV")
    jet_eta_max: float = Field(default=4.0, gt=0, le=5, description="jets lie within this |eta|")
    jet_radius: float = Field(default=0.4, gt=0, le=1.5, description="R of the anti-kT jets")
    isolation_cone: float = Field(default=0.3, gt=0, le=1, description="radius of the cone around a lepton or photon")
    isolation_max: float = Field(
        default=0.45, gt=0, le=0.6, description="largest pT of the other candidates in the cone, in units of its own"
    )


class EventSizes(Settings):
    """Numbers of selected events."""

    train: int = Field(default=4000, ge=10, description="background events: references, kernels, autoencoders")
    validation: int = Field(default=1000, ge=10, description="background events that choose epochs and parameters")
    test: int = Field(default=5000, ge=10, description="background events that are scored")
    signal: int = Field(default=5000, ge=10, description="events of each signal")


class TableSettings(Settings):
    """The inputs of the autoencoders: 19 slots of (pT, eta, phi)."""

    pt_floor: float = Field(default=1.0, gt=0, description="pT enters as ln(max(pT, floor)), GeV; so do empty slots")
    range: tuple[float, float] = Field(default=(-3.0, 3.0), description="target range of every input")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range must be ascending, got {list(self.range)}")
        return self


def default_background() -> dict[str, BackgroundSample]:
    """Give the paper's proportions: cross section times trigger efficiency."""
    return {
        "w_lnu": BackgroundSample(process="w_lnu", fraction=0.592, parts=4),
        "qcd_lepton": BackgroundSample(process="qcd_lepton", fraction=0.338, parts=4),
        "z_ll": BackgroundSample(process="z_ll", fraction=0.067),
        "top_pairs": BackgroundSample(process="top_pairs", fraction=0.003),
    }


def default_signals() -> dict[str, EventSample]:
    """Give the paper's four signals."""
    return {name: EventSample(process=name, parts=4) for name in ("a_4l", "h0_tautau", "hpm_taunu", "lq_taub")}


def shares(total: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Share `total` events so that the numbers add up: largest remainders first, at least one each."""
    exact = {name: total * fraction for name, fraction in fractions.items()}
    counts = {name: max(1, math.floor(value)) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: exact[name] - math.floor(exact[name]), reverse=True):
        if sum(counts.values()) < total:
            counts[name] += 1
    while sum(counts.values()) > total:
        counts[max(counts, key=lambda name: counts[name])] -= 1
    return counts


# Three hidden layers down to three numbers: the networks of L1 trigger groups (arXiv:2108.03986).
TRIGGER_NETWORK = NetworkSettings(hidden=(32, 16), latent=3)


class EventMethod(MethodSettings):
    """One entry of `events.methods`; every one is also an entry that `methods` would take."""

    network: NetworkSettings = TRIGGER_NETWORK


def default_methods() -> dict[str, EventMethod]:
    """Give AE, NAE and WNAE."""
    return {
        "ae": EventMethod(kind="ae", training=TrainingSettings(epochs=300, learning_rate=2e-3, learning_rate_end=1e-5)),
        "nae": EventMethod(kind="nae", training=TrainingSettings(epochs=60, on_divergence="stop")),
        "wnae": EventMethod(kind="wnae", training=TrainingSettings(epochs=100, ema_decay=0.999)),
    }


class SetsSettings(Settings):
    """Disjoint test sets: the rows of each input file, one block after the other."""

    number: int = Field(5, ge=1, description="test sets; the spread between them is the uncertainty that is given")
    events: int = Field(1000, ge=20, description="background events, and events of each signal, in a set")

    @property
    def total(self) -> int:
        """Events of a sample that are scored."""
        return self.number * self.events


class GroundSettings(Settings):
    """The spaces that events are transported in."""

    wrap_phi: bool = Field(
        False, description="take phi as periodic; the paper does not say, and raw differences are used"
    )
    met_in_2d: bool = Field(True, description="count the missing momentum among the weighted points of the 2D distance")


class DistanceSettings(Settings):
    """Scores that are distances to background events."""

    references: int = Field(1000, ge=2, description="background events that a test event is compared with (N)")
    fewer: tuple[PositiveInt, ...] = Field(
        (100,), description="further rows of the 2D and 3D distance, each with only this number of references"
    )
    pt_scales: tuple[PositiveFloat, ...] = Field(
        (10.0, 30.0, 100.0), description="GeV that pT is divided by in further rows; the paper's own distance has 1"
    )
    medoids: tuple[PositiveInt, ...] = Field((5, 50), description="medoids in the place of the references (k)")
    medoid_restarts: int = Field(
        5, ge=0, description="random starts for k medoids, beside that from k - 1; the best is kept"
    )

    def fewer_endings(self) -> list[str]:
        """Give the ends of the names of the rows with fewer references."""
        return [f"_n{number}" for number in self.fewer_references()]

    def fewer_references(self) -> list[int]:
        """Give the numbers of references of further rows."""
        return [number for number in self.fewer if number < self.references]

    def methods(self) -> list[str]:
        """Name the scores."""
        scaled = [f"ot_3d_pt{scale:g}".replace(".", "p") for scale in self.pt_scales]
        return [
            "total_pt",
            "met",
            "multiplicity",
            *(f"ot_{ground}{how}" for ground in ("2d", "3d") for how in ("", *self.fewer_endings(), "_mean", "_max")),
            *scaled,
            "sorted_pt",
            "ot_3d_linear",
            *(f"ot_3d_medoids{k}" for k in self.medoids),
        ]


class VoteSettings(Settings):
    """Which numbers of neighbours are tried."""

    k_min: int = Field(5, ge=1, description="fewest neighbours")
    k_max: int = Field(495, ge=1, description="most neighbours; no more than there are training events are tried")
    k_step: int = Field(10, ge=1, description="from one number of neighbours to the next")

    def numbers(self, most: int) -> list[int]:
        """Give the numbers of neighbours to try, `most` at most."""
        return [k for k in range(self.k_min, self.k_max + 1, self.k_step) if k <= most] or [min(self.k_min, most)]


class NeighbourSettings(Settings):
    """Neighbours among background events and augmented ones."""

    events: int = Field(1000, ge=20, description="background events, and as many augmented ones, to vote")
    validation_share: float = Field(0.25, gt=0, lt=1, description="share of them that chooses k instead")
    votes: VoteSettings = Field(VoteSettings(), description="numbers of neighbours")


class SupportVectorSettings(Settings):
    """One-class support vector machine on the kernel exp(-gamma W2^2)."""

    events: int = Field(3000, ge=50, description="background events to train with")
    nu: float = Field(0.2, gt=0, le=1, description="bound on the share of training events outside")
    scales: tuple[PositiveFloat, ...] = Field(
        (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0),
        min_length=1,
        description="c of gamma = c / median(W2^2), to choose from",
    )
    scan_events: int = Field(1000, ge=50, description="training events while c is chosen")
    validation_events: int = Field(500, ge=10, description="background events, and as many augmented ones, to choose c")
    paper_gamma: float = Field(
        0.35, gt=0, description="gamma of a further row, 1/GeV^2; the paper chose it by the signals"
    )


class ClassificationSettings(Settings):
    """Supervised neighbours: what the distances could tell at best."""

    events: int = Field(1000, ge=25, description="background events, and events of a signal")
    folds: int = Field(5, ge=3, description="parts; each is the test once, the next one validates")
    windows: tuple[tuple[float, float], ...] = Field(
        ((50.0, 100.0), (500.0, 1000.0)), description="windows of total pT in GeV in which it is planed"
    )
    minimum: int = Field(100, ge=10, description="planed events of each kind below which a window is left out")
    votes: VoteSettings = Field(VoteSettings(), description="numbers of neighbours")


class LatencySettings(Settings):
    """What a score costs an event."""

    events: int = Field(1000, ge=10, description="events in a measurement")
    repeats: int = Field(5, ge=1, description="measurements; the fastest counts")


# Scores of the other stages: neighbours among augmented events; support vectors with gamma chosen blindly and with the
# paper's, their decision function and the label that it gives.
NEIGHBOUR_METHODS = ("ot_3d_knn",)
SUPPORT_VECTOR_METHODS = ("ot_3d_svm", "ot_3d_svm_labels", "ot_3d_svm_paper", "ot_3d_svm_paper_labels")


class ProtocolSettings(Settings):
    """How whole events are scored and compared."""

    seed: int = Field(1, ge=0, description="of augmentations and folds")
    sets: SetsSettings = Field(SetsSettings(), description="test sets")
    ground: GroundSettings = Field(GroundSettings(), description="spaces")
    distances: DistanceSettings = Field(DistanceSettings(), description="distances to background events")
    neighbours: NeighbourSettings = Field(NeighbourSettings(), description="neighbours among augmented events")
    support_vectors: SupportVectorSettings = Field(SupportVectorSettings(), description="one-class SVM")
    classification: ClassificationSettings = Field(ClassificationSettings(), description="supervised neighbours")
    latency: LatencySettings = Field(LatencySettings(), description="cost of the scores")

    @model_validator(mode="after")
    def _enough_to_choose_from(self) -> ProtocolSettings:
        if max(self.distances.medoids, default=0) > self.distances.references:
            raise ValueError(f"distances.medoids: no more than the {self.distances.references} references")
        return self

    def events_needed(self) -> dict[str, int]:
        """Give how many events are read of the background's training and validation and of every test file."""
        neighbours, machine = self.neighbours.events, self.support_vectors
        return {
            "train": max(self.distances.references + 2 * neighbours, machine.events),
            "validation": 2 * machine.validation_events,
            "test": max(self.sets.total, self.classification.events),
        }


# Names become wildcards and file names.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class EventsSettings(Settings):
    """What `snakemake events` does."""

    background: dict[str, BackgroundSample] = Field(
        default_factory=default_background, min_length=1, description="samples that make up the background"
    )
    signals: dict[str, EventSample] = Field(
        default_factory=default_signals, min_length=1, description="signals by name; only ever tested on"
    )
    sizes: EventSizes = Field(default=EventSizes(), description="numbers of events")
    objects: ObjectSettings = Field(default=ObjectSettings(), description="objects and selection of simulated events")
    table: TableSettings = Field(default=TableSettings(), description="the 57 inputs of the autoencoders")
    methods: dict[str, EventMethod] = Field(
        default_factory=default_methods, description="autoencoders by name, trained with `seeds`"
    )
    protocol: ProtocolSettings = Field(default=ProtocolSettings(), description="distances, scores, test sets")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for section in ("background", "signals", "methods"):
            for name in getattr(self, section):
                if not NAME.fullmatch(name) or name in PARTS:
                    raise ValueError(f"{section}: the name {name!r} may hold letters, digits and - _ only")
        parted = next((name for name, method in self.methods.items() if method.background is not None), None)
        if parted is not None:
            raise ValueError(f"methods.{parted}.background: whole events are one background; remove it")
        doubled = sorted(set(self.background) & set(self.signals))
        if doubled:
            raise ValueError(f"signals: {doubled[0]} is also a sample of the background")
        total = sum(self.fractions.values())
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"background: the fractions add up to {total:g}, not to 1")
        for name, sample in self.samples().items():
            if sample.process and sample.parts > self.events_of(name):
                raise ValueError(f"{name}.parts: {sample.parts} files cannot share {self.events_of(name)} events")
        return self

    @property
    def fractions(self) -> dict[str, float]:
        """Share of each sample of the background."""
        return {name: sample.fraction for name, sample in self.background.items()}

    def samples(self) -> dict[str, EventSample]:
        """Give all samples by name, the background first."""
        return {**self.background, **self.signals}

    def events_of(self, sample: str) -> int:
        """Give the number of selected events that a sample must have."""
        if sample in self.signals:
            return self.sizes.signal
        return sum(shares(getattr(self.sizes, part), self.fractions)[sample] for part in PARTS)

    def events_of_part(self, sample: str, part: int) -> int:
        """Return how many of these one file of a simulated sample has."""
        return events_of_file(self.events_of(sample), self.samples()[sample].parts, part)
