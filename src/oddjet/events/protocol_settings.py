"""Settings of the protocol: distances, scores, test sets."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from oddjet.settings import Settings


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
        (100,), description="further rows of the 2D and 3D distance to the first so many of them, where there are more"
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
