"""Settings of the images themselves: which jets, and how they are turned into pixels."""

from __future__ import annotations

from pydantic import Field

from oddjet.dataset.settings import Fractions
from oddjet.settings import Settings


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

    @property
    def side(self) -> float:
        """Side of the image in eta and phi."""
        return self.width if self.width is not None else 4.0 * self.radius * 0.8
