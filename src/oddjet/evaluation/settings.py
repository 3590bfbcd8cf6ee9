"""Settings of the evaluation: scores and figures of merit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from oddjet.settings import Settings


class EvaluationSettings(Settings):
    """What is asked of the samples before they are scored."""

    minimum_signal_jets: int = Field(
        default=300, ge=2, description="jets; a grid point with fewer is an error, since its AUC would say little"
    )


class MeritSettings(Settings):
    """How figures of merit beyond the AUC, and their errors, are computed."""

    replicas: int = Field(
        default=200, ge=20, description="bootstrap replicas; errors are known to 1 / sqrt(2 replicas)"
    )
    seed: int = Field(default=1, ge=0, description="of the bootstrap's random numbers")
    planing_bins: int = Field(
        default=10,
        ge=1,
        description="bins in pT, of equal signal weight, in which the background takes on its spectrum",
    )
    planed: tuple[str, ...] = Field(
        default=(), description="other columns to plane, an AUC each: mass, or kept ones (features.keep)"
    )


class LimitSettings(Settings):
    """Expected limits on the signals' cross sections, from `snakemake limits`."""

    methods: tuple[str, ...] = Field((), description="left empty: all of the analysis")
    luminosity: float = Field(138.0, gt=0, description="integrated luminosity (1/fb)")
    efficiencies: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.5, 0.2, 0.1, 0.05, 0.02, 0.01),
        min_length=1,
        description="of the background, where bins of the score end",
    )
    bins: int = Field(
        1,
        ge=1,
        description="number of tightest windows that are counted; 1: events above a cut. More: a fit of the shape of "
        "the simulated score: bins without signal measure the rate of the background",
    )
    minimum_events: int = Field(10, ge=1, description="simulated background events a bin holds, or it is merged")
    background_uncertainty: float = Field(0.1, ge=1e-3, description="relative, on the rate of the background")


class AbcdSettings(Settings):
    """How a pair of scores is chosen for an ABCD estimate, and where it is tested: what `snakemake abcd` does."""

    jets: int = Field(
        2000,
        ge=100,
        description="validation jets, at most, of which distance correlations are; memory grows as squared",
    )
    efficiencies: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.5, 0.3, 0.2, 0.1), min_length=1, description="of the background, for the cut on each of the two scores"
    )


class VariationSettings(Settings):
    """How systematic variations are evaluated: what `snakemake variations` does."""

    background_efficiency: float = Field(
        default=0.1, gt=0, lt=1, description="share of the nominal background above the cut of the working point"
    )
