"""Settings of jet images: samples and pixels, distances, reference jets."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from oddjet.dataset.settings import Fractions
from oddjet.detectors.medoids import Metric
from oddjet.detectors.vae.settings import VaeSettings
from oddjet.jets.settings import FeatureSettings
from oddjet.samples import Listed, Sample, Simulated
from oddjet.settings import Settings

# Keys of the features that say how files are read and jets are found, whatever is made of these.
READ = {
    *("layouts", "layout", "apply_puppi_weight", "clustering", "on_bad_file", "max_bad_fraction"),
    *("bad_candidates", "max_bad_event_fraction", "network_seconds", "prefixes", "checksums"),
}


class ImageJetSettings(Settings):
    """Selection and preprocessing (defaults: arXiv:2110.06948, section 2)."""

    radius: float = Field(default=1.0, gt=0, le=1.5, description="radius R of anti-kT")
    leading_pt_min: float = Field(default=450.0, gt=0, description="smallest pT of the leading jet, exclusive (GeV)")
    subleading_pt_min: float = Field(default=200.0, gt=0, description="smallest pT of the second jet, exclusive (GeV)")
    eta_max: float = Field(default=2.4, gt=0, le=5, description="largest |eta| of the leading jet, exclusive")
    match_radius: float = Field(
        default=0.8, gt=0, description="largest Delta R between the jet and the particle that its sample asks for"
    )
    chunk_size: int = Field(default=1000, ge=1, le=1_000_000, description="events read and clustered at a time")
    pixels: int = Field(default=40, ge=2, le=256, description="pixels a side")
    width: float | None = Field(
        default=None, gt=0, description="side of the image in eta and phi; left out: 3.2 R, which is 3.2 for R = 1.0"
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="salt of the event hash that splits the jets")
    fractions: Fractions = Field(
        default=Fractions(train=0.6, validation=0.1, test=0.3), description="shares of the events of every sample"
    )

    @model_validator(mode="after")
    def _leading_is_first(self) -> ImageJetSettings:
        if self.subleading_pt_min > self.leading_pt_min:
            raise ValueError(
                f"subleading_pt_min ({self.subleading_pt_min:g}) must not be above leading_pt_min "
                f"({self.leading_pt_min:g})"
            )
        return self

    def features(self, common: FeatureSettings) -> FeatureSettings:
        """Return the settings of a feature stage that selects these jets; files are read as `common` says."""
        return FeatureSettings(**common.model_dump(include=READ)).model_copy(
            update={
                "chunk_size": self.chunk_size,
                "radius": self.radius,
                "cluster_pt_min": self.subleading_pt_min,
                "pt_min": self.leading_pt_min,
                "pt_max": math.inf,
                "eta_max": self.eta_max,
                "max_jets": 1,
                "subleading_pt_min": self.subleading_pt_min,
                "match_radius": self.match_radius,
                "corrections": common.corrections,
            }
        )

    @property
    def side(self) -> float:
        """Side of the image in eta and phi."""
        return self.width if self.width is not None else 4.0 * self.radius * 0.8


class DistanceSettings(Settings):
    """Distances of every pair of a set of jets."""

    jets: int = Field(default=1000, ge=2, le=20_000, description="jets of a set: all pairs are measured and kept")
    root: bool = Field(
        default=True, description="Wass(p) with p >= 1 is the p-th root of the transport cost; false: the cost itself"
    )


class MedoidSettings(Settings):
    """Reference jets: k medoids, and as many at random to compare with."""

    largest: int = Field(default=10, ge=4, le=50, description="medoids are found for k = 1 to this number")
    bins: int = Field(default=50, ge=5, description="bins of the distances whose most frequent value the elbow uses")
    draws: int = Field(default=10, ge=2, description="sets of random reference jets to compare with")
    drawn: int = Field(default=5, ge=1, description="random reference jets of a set")
    restarts: int = Field(
        default=5,
        ge=0,
        description="random starts for k medoids, beside that from k - 1; the best is kept",
    )
    seed: int = Field(default=1, ge=0, description="seed of the random starts and reference jets")


class EnsembleSettings(Settings):
    """Event-to-ensemble distances: which sets of reference jets and which metrics."""

    references: tuple[str, ...] = Field(
        default=("qcd", "top"), min_length=1, description="samples whose training jets are references"
    )
    metrics: tuple[Metric, ...] = Field(
        default=("wass1", "wass0p5", "wass2", "wass5", "mae", "mse"), min_length=1, description="metrics of the table"
    )
    compared: tuple[Metric, ...] = Field(
        default=("wass0p5", "wass1", "mae", "mse"),
        description="metrics whose distances between background test jets are compared with one another and with the "
        "latent space of the autoencoder",
    )

    @model_validator(mode="after")
    def _once(self) -> EnsembleSettings:
        for key in ("references", "metrics", "compared"):
            given = getattr(self, key)
            if len(set(given)) != len(given):
                raise ValueError(f"{key}: {list(given)} names one twice")
        return self


# Names become wildcards and file names.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


def _of_images(sample: Simulated | Listed) -> Simulated | Listed:
    """Refuse what an image sample has no use for: it is background or signal alone, by its name."""
    for key in ("kind", "title", "point", "cross_section", "m_phi", "r_inv", "golden_json"):
        if getattr(sample, key, None) not in (None, {}):
            raise ValueError(f"{key}: {getattr(sample, key)}: images read no such key; leave it out (docs/images.md)")
    return sample


ImageSample = Annotated[Sample, AfterValidator(_of_images)]


def _paper_samples() -> dict[str, Simulated | Listed]:
    # Jets above 450 GeV also come from softer hard processes: docs/images.md has how many.
    made = {
        "qcd": {"process": {"name": "qcd", "pthat_min": 325}, "events": 32_000, "parts": 8},
        "top": {
            "process": {"name": "top_pairs", "pthat_min": 325},
            "events": 12_000,
            "parts": 4,
            "require_match": "top",
        },
        "w": {
            "process": {"name": "hadronic_w", "pthat_min": 350},
            "events": 11_000,
            "parts": 4,
            "require_match": "w",
        },
    }
    return {name: Simulated.model_validate(sample) for name, sample in made.items()}


class ImagesSettings(Settings):
    """What `snakemake images` does."""

    samples: dict[Name, ImageSample] = Field(default_factory=_paper_samples, description="samples of jets by name")
    background: str = Field(default="qcd", description="the sample that is background; all others are signals")
    jets: ImageJetSettings = Field(default=ImageJetSettings(), description="selection, preprocessing, split")
    distances: DistanceSettings = Field(default=DistanceSettings(), description="distances between jets")
    medoids: MedoidSettings = Field(default=MedoidSettings(), description="reference jets")
    ensembles: EnsembleSettings = Field(default=EnsembleSettings(), description="event-to-ensemble distances")
    vae: VaeSettings = Field(default=VaeSettings(), description="variational autoencoder and supervised ceilings")

    def signals(self) -> list[str]:
        """Give the names of the signal samples."""
        return [name for name in self.samples if name != self.background]

    @model_validator(mode="after")
    def _samples_exist(self) -> ImagesSettings:
        for key, name in (
            ("background", self.background),
            *(("ensembles.references", n) for n in self.ensembles.references),
        ):
            if name not in self.samples:
                raise ValueError(f"{key}: there is no sample {name!r} in images.samples ({', '.join(self.samples)})")
        if not self.signals():
            raise ValueError("samples: besides the background there must be a signal")
        return self
