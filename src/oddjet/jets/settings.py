"""Settings of the feature stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Match = Literal["none", "dark_quark", "top"]

EIGHT_FEATURES = ("tau2", "tau3", "efp1", "c2", "axis_major", "axis_minor", "ptd", "softdrop_mass")


class SoftDropSettings(BaseModel):
    """Soft drop: a branching passes if z > zcut (Delta R / radius)^beta."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zcut: float = Field(default=0.1, ge=0, lt=0.5, description="Smallest momentum fraction of the softer branch.")
    beta: float = Field(default=0.0, ge=-10, le=10, description="Angular exponent; 0 is the modified mass drop tagger.")


class FeatureSettings(BaseModel):
    """Jets, their selection and their features (defaults: design, section 7)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: Literal["auto", "pfnano", "nanoaod_v15", "delphes"] = Field(
        default="auto", description="Format of the ROOT files; auto tells it from the branches."
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
    cluster_pt_min: float = Field(default=20.0, ge=0, description="Clustered jets below this pT are not counted (GeV).")
    pt_min: float = Field(default=500.0, ge=0, description="Smallest jet pT, exclusive (GeV).")
    pt_max: float = Field(default=1000.0, gt=0, description="Largest jet pT, exclusive (GeV).")
    eta_max: float = Field(default=2.4, gt=0, le=5, description="Largest |eta| of the jet axis, exclusive.")
    max_jets: int | None = Field(default=None, ge=1, description="Only so many leading jets of an event; null for all.")
    match_radius: float = Field(
        default=0.8, gt=0, description="Largest Delta R (eta, phi) between a jet and its parton."
    )
    on_bad_file: Literal["fail", "skip"] = Field(
        default="fail", description="What an unreadable input file does: end the job, or count as a skipped file."
    )
    max_bad_fraction: float = Field(
        default=0.05, ge=0, le=1, description="Largest share of a sample's files that may be skipped."
    )
    checksums: str | None = Field(
        default=None, description="Manifest of sha256sum that every local input file must agree with; null for none."
    )
    softdrop: SoftDropSettings = Field(default_factory=lambda: SoftDropSettings())
    features: tuple[str, ...] = Field(
        default=EIGHT_FEATURES, min_length=1, description="Features to compute; extract_features.py --list shows all."
    )

    @model_validator(mode="after")
    def _consistent(self) -> FeatureSettings:
        if self.pt_max <= self.pt_min:
            raise ValueError(f"pt_max ({self.pt_max}) must be above pt_min ({self.pt_min})")
        if self.cluster_pt_min > self.pt_min:
            raise ValueError(f"cluster_pt_min ({self.cluster_pt_min}) must not be above pt_min ({self.pt_min})")
        repeated = sorted({name for name in self.features if self.features.count(name) > 1})
        if repeated:
            raise ValueError(f"features are named more than once: {', '.join(repeated)}")
        return self
