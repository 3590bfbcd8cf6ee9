"""Settings of the feature stage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field, NonNegativeInt, ValidationInfo, field_validator, model_validator

from oddjet.addresses import FilePath, is_read, is_remote
from oddjet.io.declared_layouts import LayoutSettings
from oddjet.io.layouts import LAYOUTS
from oddjet.jets.correction_settings import CorrectionSettings
from oddjet.messages import not_among
from oddjet.selection.expressions import JET_COLUMNS, TRIGGERS, parse_column, parse_cut
from oddjet.selection.settings import Kept, SampleSelection, SelectionSettings
from oddjet.settings import VARIED, Settings

Match = Literal["none", "dark_quark", "dark_jet", "top", "w"]
ClusteringBackend = Literal["own", "fastjet"]

EIGHT_FEATURES = ("tau2", "tau3", "efp1", "c2", "axis_major", "axis_minor", "ptd", "softdrop_mass")
# All names of the registry in features.py, here where they can be checked before anything heavy is imported.
FEATURES = (*EIGHT_FEATURES, "tau1", "tau21", "tau32", "mass", "multiplicity", "d2", "lund_multiplicity")
# The columns that every table of jets begins with, those of oddjet.jets.columns.
COLUMNS = ("run", "luminosityBlock", "event", "entry", "jet_rank", "pt", "eta", "phi", "mass", "n_constituents")

# Names that no kept column may have: those of features, and what tables of jets, of datasets and of scores hold.
TAKEN = (*COLUMNS, *FEATURES, "truth_match", "weight", "source", "sample", "score", "in_window", "mean_score")


BUILT_IN = tuple(one.name for one in LAYOUTS)


class SoftDropSettings(Settings):
    """Soft drop: a branching passes if z > zcut (Delta R / radius)^beta."""

    zcut: float = Field(default=0.1, ge=0, lt=0.5, description="Smallest momentum fraction of the softer branch.")
    beta: float = Field(default=0.0, ge=-10, le=10, description="Angular exponent; 0 is the modified mass drop tagger.")


class EfpSettings(Settings):
    """Energy flow polynomials: one by its graph, or all up to a degree."""

    graph: tuple[tuple[NonNegativeInt, NonNegativeInt], ...] | None = Field(
        default=None, min_length=1, max_length=10, description="Edges of a multigraph, for example [[0,1],[1,2]]."
    )
    degree: int | None = Field(default=None, ge=1, le=6, description="All graphs with up to this number of edges.")
    beta: float = Field(default=1.0, gt=0, le=10, description="Angular exponent.")

    @model_validator(mode="after")
    def _one_of_two(self) -> EfpSettings:
        if (self.graph is None) == (self.degree is None):
            raise ValueError("give either graph or degree")
        for a, b in self.graph or ():
            if a == b or max(a, b) > 9:
                raise ValueError(f"edge [{a}, {b}] must join two different nodes numbered 0 to 9")
        return self

    def name(self, graph: Sequence[Sequence[int]]) -> str:
        """Column name of one graph: edges and exponent, for example efp_01_12_beta1 or efp_01_beta0p5."""
        edges = "_".join(f"{a}{b}" for a, b in graph)
        return f"efp_{edges}_beta{self.beta:g}".replace(".", "p")

    def provides(self, name: str) -> bool:
        """Tell whether `name` is the column of this graph, or can be one up to this degree (not all graphs are)."""
        if self.graph is not None:
            return name == self.name(self.graph)
        edges = name.removeprefix("efp_").rpartition("_beta")[0].split("_")
        pairs = [tuple(map(int, edge)) for edge in edges if len(edge) == 2 and edge.isdigit()]
        return len(pairs) == len(edges) <= (self.degree or 0) and name == self.name(pairs)


class Efp(Settings):
    """An entry of `features` that stands for energy flow polynomials."""

    efp: EfpSettings


class FeatureSettings(Settings):
    """Jets, their selection and their features (defaults: design, section 7)."""

    layouts: dict[str, LayoutSettings] = Field(
        default={}, description="Formats of one's own by name, beside those that are built in (docs/formats.md)."
    )
    layout: str = Field(
        default="auto",
        description="Format of the ROOT files: auto tells it from the branches; or the name of one to accept alone.",
    )
    chunk_size: int = Field(
        default=1000, ge=1, le=1_000_000, description="Events read and clustered at a time (memory)."
    )
    apply_puppi_weight: bool = Field(
        default=True, description="Scale each candidate's four-momentum with its PUPPI weight where the file has one."
    )
    recluster: bool = Field(
        default=True, description="Cluster the candidates (true) or take the file's own jets (false)."
    )
    radius: float = Field(
        default=0.8, gt=0, le=1.5, description="Jet radius R of anti-kT, also R0 of tau_N and soft drop."
    )
    clustering: ClusteringBackend = Field(
        default="own",
        description="What finds the jets: our own kernel, or fastjet, which gives the same jets and is slower.",
    )
    check_jets: int = Field(
        default=10,
        ge=0,
        description="The first selected jets of every file, this number of them, are compared with fastjet (momentum, "
        "constituents, N-subjettiness, soft drop); a difference ends the run. 0 compares none.",
    )
    cluster_pt_min: float = Field(default=20.0, ge=0, description="Clustered jets below this pT are not counted (GeV).")
    pt_min: float = Field(default=500.0, ge=0, description="Smallest jet pT, exclusive (GeV).")
    pt_max: float = Field(default=1000.0, gt=0, description="Largest jet pT, exclusive (GeV).")
    eta_max: float = Field(default=2.4, gt=0, le=5, description="Largest |eta| of the jet axis, exclusive.")
    max_jets: int | None = Field(default=None, ge=1, description="Leading jets to keep per event; null for all.")
    subleading_pt_min: float | None = Field(
        default=None,
        ge=0,
        description="Smallest pT of the second jet of the event, exclusive (GeV); null asks for none.",
    )
    match_radius: float = Field(
        default=0.8, gt=0, description="Largest Delta R (eta, phi) between a jet and its parton."
    )
    on_bad_file: Literal["fail", "skip"] = Field(
        default="fail",
        description="What a damaged or missing input file does: end the job, or count as a skipped file. A file that "
        "cannot be reached now always ends the job.",
    )
    max_bad_fraction: float = Field(
        default=0.05, ge=0, le=1, description="Largest share of a sample's files that may be skipped."
    )
    bad_candidates: Literal["event", "candidate", "file"] = Field(
        default="event",
        description="What is left out for a candidate whose momentum is NaN, infinite or beyond all measure, or whose "
        "PUPPI weight is negative: its event, the candidate alone, or the whole file (then see on_bad_file). A "
        "stored jet or a generator particle to match with whose momentum is so costs its event, or the file.",
    )
    max_bad_event_fraction: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Largest share of a file's events with such a momentum, rounded up to whole events; with more, "
        "the file is bad.",
    )
    network_seconds: float = Field(
        default=40.0,
        ge=0,
        le=86_400,
        description="How long a file that cannot be reached (time-out, busy server, lost connection) is tried again "
        "before the job ends (s).",
    )
    prefixes: tuple[str, ...] = Field(
        default=(),
        description="Beginnings of addresses that stand for each other (redirectors, sites): a file that one does not "
        "give is read behind the next.",
    )
    checksums: FilePath | None = Field(
        default=None, description="Manifest of sha256sum that every local input file must agree with; null for none."
    )
    selection: SelectionSettings = Field(
        default_factory=lambda: SelectionSettings(), description="Cuts beside those of pT and eta (docs/selection.md)."
    )
    keep: Kept = Field(
        default_factory=dict,
        description="Columns that travel to the tables: branches, or a name and its expression: "
        "[MET_pt, {ht: sum(Jet_pt)}].",
    )
    softdrop: SoftDropSettings = Field(default_factory=lambda: SoftDropSettings())
    corrections: CorrectionSettings = Field(
        default_factory=lambda: CorrectionSettings(),
        description="Payloads that correct jets and weights, and their variations (docs/corrections.md).",
    )
    lund_kt_min: float = Field(default=1.0, gt=0, description="Least kT of a branching in lund_multiplicity (GeV).")
    efp_backend: Literal["auto", "own", "energyflow"] = Field(
        default="auto",
        description="What computes energy flow polynomials: EnergyFlow, our own kernel (ten times as fast), or "
        "EnergyFlow where it is installed (not on Python 3.13) and otherwise the kernel; they agree to 1e-12.",
    )
    features: tuple[str | Efp, ...] = Field(
        default=EIGHT_FEATURES,
        min_length=1,
        description="Features to compute: names (extract_features.py --list shows all), or "
        "{efp: {graph: [[0,1],[1,2]], beta: 1}} or {efp: {degree: 3, beta: 1}}.",
    )

    @field_validator("layouts")
    @classmethod
    def _own_names(cls, layouts: dict[str, LayoutSettings]) -> dict[str, LayoutSettings]:
        taken = next((name for name in ("auto", *BUILT_IN) if name in layouts), None)
        if taken is not None:
            raise ValueError(f"{taken!r} is built in; take another name")
        return layouts

    @field_validator("layout")
    @classmethod
    def _known(cls, layout: str, info: ValidationInfo) -> str:
        known = ("auto", *BUILT_IN, *info.data.get("layouts", ()))
        if layout not in known:
            raise ValueError(not_among(layout, known))
        return layout

    @field_validator("prefixes")
    @classmethod
    def _addresses(cls, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in prefixes:
            if not is_remote(prefix) or not is_read(prefix):
                raise ValueError(f"{prefix!r} is no beginning of an address, as root://HOST/")
        return prefixes

    @model_validator(mode="after")
    def _consistent(self) -> FeatureSettings:
        if self.pt_max <= self.pt_min:
            raise ValueError(f"pt_max ({self.pt_max}) must be above pt_min ({self.pt_min})")
        if self.cluster_pt_min > self.pt_min:
            raise ValueError(f"cluster_pt_min ({self.cluster_pt_min}) must not be above pt_min ({self.pt_min})")
        if self.subleading_pt_min is not None and self.cluster_pt_min > self.subleading_pt_min:
            raise ValueError(
                f"cluster_pt_min ({self.cluster_pt_min}) must not be above subleading_pt_min ({self.subleading_pt_min})"
            )
        repeated = sorted({str(entry) for entry in self.features if self.features.count(entry) > 1})
        if repeated:
            raise ValueError(f"features are named more than once: {', '.join(repeated)}")
        unknown = [name for name in self.names() if name not in FEATURES]
        if unknown:
            raise ValueError(f"features: {not_among(unknown[0], FEATURES)}")
        taken = next((name for name in self.keep if name.startswith(VARIED)), None)
        if taken is not None:
            raise ValueError(f"keep: {taken!r}: {VARIED} begins the columns of varied weights; give it another name")
        taken = next((name for name in self.keep if name in TAKEN or self._is_polynomial(name)), None)
        if taken is not None:
            raise ValueError(f"keep: {taken!r} is a column already; give it another name, as in {{my_{taken}: ...}}")
        return self

    def names(self) -> list[str]:
        """Give the features that are named, without the polynomials."""
        return [entry for entry in self.features if isinstance(entry, str)]

    def not_computed(self, names: Iterable[str]) -> list[str]:
        """List those of `names` that no entry of `features` computes and `keep` does not hold."""
        plain = {*self.names(), *self.keep}
        return [name for name in names if name not in plain and not self._is_polynomial(name)]

    def is_of_jets(self, name: str) -> bool:
        """Tell whether a name in a cut on jets, or in a kept column, is a column of the jet or a feature."""
        return name in JET_COLUMNS or name in FEATURES or self._is_polynomial(name)

    def named_branches(self, own: SampleSelection) -> dict[str, str]:
        """Give the branches that the cuts of a sample and the kept columns name, and where each is named first.

        A kept column that a cut names stands for its expression.
        """
        found: dict[str, str] = {}
        for words, of_jets, cuts in (
            ("the cut on events", False, own.event_cuts(self.selection)),
            ("the cut on jets", True, own.jet_cuts(self.selection)),
        ):
            for clause in (clause for text in cuts for clause in parse_cut(text)):
                for name in clause.names:
                    for branch in parse_column(self.keep.get(name, name)).names:
                        if not (of_jets and self.is_of_jets(branch)):
                            found.setdefault(branch, f"{words} {clause.text!r}")
        for key, text in self.keep.items():
            for name in parse_column(text).names:
                if not self.is_of_jets(name):
                    found.setdefault(name, f"features.keep.{key}")
        return found

    def kept_in_cuts(self) -> dict[str, str]:
        """Give the kept columns that the cuts of all samples name."""
        cuts = [text for text in (self.selection.events, self.selection.jets) if text is not None]
        named = {name for text in cuts for clause in parse_cut(text) for name in clause.names}
        return {name: text for name, text in self.keep.items() if name in named}

    def may_be_missing(self, branch: str) -> bool:
        """Tell whether a file may lack a branch: a trigger that then did not fire."""
        return self.selection.missing_triggers == "not_fired" and branch.startswith(TRIGGERS)

    def _is_polynomial(self, name: str) -> bool:
        return any(entry.efp.provides(name) for entry in self.features if isinstance(entry, Efp))


def with_corrections(features: FeatureSettings, own: CorrectionSettings | None) -> FeatureSettings:
    """Give settings of the features with the corrections of a sample, where it has some of its own."""
    return features if own is None else features.model_copy(update={"corrections": own})
