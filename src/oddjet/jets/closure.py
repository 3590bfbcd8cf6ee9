"""Closure on files with jets of their own: whether the jets that are found here are those of the file."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field

import numpy as np

from oddjet.arrays import Floats
from oddjet.io.candidates import StoredJets
from oddjet.jets.clustering import Jets
from oddjet.jets.matching import momenta

LOGGER = logging.getLogger("oddjet")

# The file's jets above this pT (GeV) are looked for: nearer to the usual threshold of 170 GeV not all are kept.
PT_MIN = 200.0
# A jet that lies nearer than this is the same jet.
NEAR = 0.1
# Beyond this a median ratio is worth a warning.
TOLERANCE = 0.02
FEWEST = 5


@dataclass
class Closure:
    """Compares the jets of one file with its own, chunk by chunk.

    Attributes
    ----------
    own : int
        Jets of the file above 200 GeV of uncalibrated pT.
    pt, mass : list of arrays
        Our value over the file's uncalibrated one, of those that were found again.
    """

    own: int = 0
    pt: list[Floats] = field(default_factory=list)
    mass: list[Floats] = field(default_factory=list)

    def add(self, ours: Jets, theirs: StoredJets) -> None:
        """Look for each of the file's jets among ours of the same event."""
        raw = theirs.momenta.pt * theirs.raw
        wanted = np.flatnonzero(raw > PT_MIN)
        event = theirs.momenta.rows()[wanted]
        self.own += len(wanted)
        first = np.searchsorted(ours.event, event)
        counts = np.searchsorted(ours.event, event, side="right") - first
        row = np.repeat(np.arange(len(wanted)), counts)
        jet = np.repeat(first, counts) + np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        them = wanted[row]
        near = np.asarray(momenta(ours, jet).deltaR(momenta(theirs.momenta, them)) < NEAR)
        jet, them = jet[near], them[near]
        self.pt.append(ours.pt[jet] / raw[them])
        mass = theirs.momenta.mass[them] * theirs.raw[them]
        self.mass.append((ours.mass[jet] / np.maximum(mass, 1e-9))[mass > 1])

    def report(self, path: str) -> str | None:
        """Log the outcome and give it as JSON; None where the file has no jets to compare with."""
        if not self.own:
            return None
        pt, mass = (np.concatenate(values) for values in (self.pt, self.mass))
        ratios = {name: float(np.median(values)) for name, values in (("pt", pt), ("mass", mass)) if len(values)}
        text = ", ".join(f"{name} ratio {value:.4f}" for name, value in ratios.items())
        message = "%s: %d of the file's own %d jets above %g GeV are found again (medians: %s)"
        fits = len(pt) >= (1 - TOLERANCE) * self.own and all(abs(value - 1) < TOLERANCE for value in ratios.values())
        if fits or self.own < FEWEST:
            LOGGER.info(message, path, len(pt), self.own, PT_MIN, text or "none")
        else:
            LOGGER.warning(
                message + "; the candidates, their weights or masses, or the radius may be others than the file's",
                path,
                len(pt),
                self.own,
                PT_MIN,
                text or "none",
            )
        return json.dumps({"own": self.own, "found": len(pt), **ratios})
