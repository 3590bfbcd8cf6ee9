"""Settings of the analysis of jet images, composed of those of its stages; the configuration alone imports this."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from oddjet.images.ensemble_settings import DistanceSettings, EnsembleSettings, MedoidSettings
from oddjet.images.jet_settings import ImageJetSettings
from oddjet.images.medoid_settings import MedoidMethod
from oddjet.images.vae_method_settings import VaeMethod
from oddjet.images.vae_settings import VaeSettings
from oddjet.settings import Settings
from oddjet.simulation.settings import Process

# Names become wildcards and file names.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


def _kind(given: object) -> str:
    """Tell which method is meant; without a word it is that of the medoids."""
    return str(given.get("kind", "medoids") if isinstance(given, dict) else getattr(given, "kind", "medoids"))


ImageMethod = Annotated[
    Annotated[MedoidMethod, Tag("medoids")] | Annotated[VaeMethod, Tag("vae")],
    Discriminator(
        _kind, custom_error_type="kind", custom_error_message="the kind of an image method is medoids or vae"
    ),
]


class ImageSample(Settings):
    """A sample of jets for the images: made by Pythia, or in ROOT files."""

    process: Process | None = Field(default=None, description="the hard process that Pythia makes, and its parameters")
    events: int = Field(default=10_000, gt=0, description="events in the whole sample")
    parts: int = Field(default=1, gt=0, description="number of files (and jobs) that the events are spread over")
    files: tuple[str, ...] = Field(
        default=(), description="in the place of a process: paths, globs, folders, addresses, or .txt lists of these"
    )
    require_match: Literal["none", "top", "w"] = Field(
        default="none", description="keep only jets within images.jets.match_radius of a generated top quark or W boson"
    )

    def events_of(self, part: int) -> int:
        """Share the events among the parts, the first ones taking what is left over."""
        return self.events // self.parts + (part < self.events % self.parts)

    @model_validator(mode="after")
    def _one_source(self) -> ImageSample:
        if (self.process is None) == (not self.files):
            raise ValueError("give either process or files")
        if self.parts > self.events:
            raise ValueError(f"parts: {self.parts} files cannot share {self.events} events")
        return self


def _paper_samples() -> dict[str, ImageSample]:
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
    return {name: ImageSample.model_validate(sample) for name, sample in made.items()}


def _methods() -> dict[str, MedoidMethod | VaeMethod]:
    return {
        "image_wass1": MedoidMethod(),
        "image_mae": MedoidMethod(metric="mae"),
        "image_vae": VaeMethod(kind="vae"),
    }


class ImagesSettings(Settings):
    """What `snakemake images` does."""

    samples: dict[Name, ImageSample] = Field(default_factory=_paper_samples, description="samples of jets by name")
    background: str = Field(default="qcd", description="the sample that is background; all others are signals")
    jets: ImageJetSettings = Field(default=ImageJetSettings(), description="selection, preprocessing, split")
    distances: DistanceSettings = Field(default=DistanceSettings(), description="distances between jets")
    medoids: MedoidSettings = Field(default=MedoidSettings(), description="reference jets")
    ensembles: EnsembleSettings = Field(default=EnsembleSettings(), description="event-to-ensemble distances")
    methods: dict[Name, ImageMethod] = Field(
        default_factory=_methods,
        description="scores of the semivisible-jet analysis by images, by name; `snakemake image_scores` makes them",
    )
    vae: VaeSettings = Field(default=VaeSettings(), description="variational autoencoder and supervised ceilings")

    def signals(self) -> list[str]:
        """Give the names of the signal samples."""
        return [name for name in self.samples if name != self.background]

    def medoid_methods(self) -> dict[str, MedoidMethod]:
        """Give the methods that are distances to reference jets, by name."""
        return {name: method for name, method in self.methods.items() if isinstance(method, MedoidMethod)}

    def vae_methods(self) -> dict[str, VaeMethod]:
        """Give the methods that are image VAEs, by name."""
        return {name: method for name, method in self.methods.items() if isinstance(method, VaeMethod)}

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
