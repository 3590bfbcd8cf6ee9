"""One-class support vector machine on the transport kernel exp(-gamma W2^2)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import OneClassSVM

from oddjet.arrays import Floats
from oddjet.detectors.opening import Given, Opened
from oddjet.errors import DetectorError, EventError
from oddjet.events.augmentations import augment
from oddjet.events.layout import Events
from oddjet.events.neighbours import rank_auc
from oddjet.events.point_sets import sets_3d
from oddjet.events.protocol import EventScores, first_events, scored_together, training_events
from oddjet.events.rows import EventRows
from oddjet.events.settings import (
    SUPPORT_VECTOR_METHODS,
    GroundSettings,
    ObjectSettings,
    ProtocolSettings,
    SupportVectorSettings,
)
from oddjet.transport.point_sets import PaddedSets, distance_matrix, distances_within

BLOCK = 1000
# Eigenvalues of the kernel above minus this share of the largest count as rounding.
ROUNDING = 1e-10


class SupportVectorScores(EventScores):
    """Decision functions and labels of one-class support vector machines on the transport kernel."""

    opener: ClassVar[str] = "oddjet.events.support_vectors"

    kind: Literal["event_svm"]


class Spectrum(NamedTuple):
    """What clipping did to a kernel: its smallest eigenvalue, the number below zero, and whether it was clipped."""

    smallest: float
    negative: int
    clipped: bool


class KernelMachine:
    """A one-class SVM whose kernel is made positive semidefinite.

    exp(-gamma W2^2) need not be positive definite, and the SVM is then no convex problem. Negative eigenvalues of the
    training kernel are set to zero, K -> P K with the projection P on the other eigenvectors, and the same P is applied
    to kernels of test events (Chen et al., JMLR 10 (2009) 747, section 2.2).

    Parameters
    ----------
    squared
        W2^2 between the training events, shape (n, n).
    gamma
        Of the kernel, in units of 1 / W2^2.
    nu
        Bound on the share of training events outside.
    """

    def __init__(self, squared: Floats, gamma: float, nu: float) -> None:
        self.gamma = gamma
        kernel = np.exp(-gamma * squared)
        values, vectors = np.linalg.eigh(kernel)
        bad = values < -ROUNDING * values[-1]
        self.spectrum = Spectrum(float(values[0]), int(bad.sum()), bool(bad.any()))
        if bad.any():
            kernel = kernel - (vectors[:, bad] * values[bad]) @ vectors[:, bad].T
        machine = OneClassSVM(kernel="precomputed", nu=nu).fit(kernel)
        weights = np.zeros(len(squared))
        weights[machine.support_] = machine.dual_coef_[0]
        self.support = len(machine.support_)
        if bad.any():
            weights = weights - vectors[:, bad] @ (vectors[:, bad].T @ weights)
        self.weights, self._offset = weights, float(machine.intercept_[0])

    def outlyingness(self, squared: Floats, rows: NDArray[np.int64] | None = None) -> Floats:
        """Minus the decision function: above 0 outside.

        Parameters
        ----------
        squared
            W2^2 of events to the training events, or to those in `rows`: shape (m, n).
        rows
            Rows of the training events that `squared` is about; left out: all. The others must have no weight.

        Returns
        -------
        Shape (m,).
        """
        weights = self.weights if rows is None else self.weights[rows]
        return np.asarray(-(np.exp(-self.gamma * squared) @ weights + self._offset))


class TransportMachine:
    """The paper's one-class SVM in 3D, with gamma chosen without signal and with the paper's gamma.

    gamma = c / median(W2^2) of the training background. The c whose decision function best tells validation background
    from augmented events, none of them seen in training, is chosen.

    Parameters
    ----------
    background
        Training events, shape (n, 19, 4).
    validation, others
        Background events for the choice, and others that are augmented for it.
    settings, ground
        Values of c, nu, the paper's gamma; space.
    seed
        Of the augmentations.
    objects
        What the events were selected with.
    threads
        Threads that share the work.

    Raises
    ------
    EventError
        So many training events are alike that the median distance is 0.
    """

    def __init__(
        self,
        background: Events,
        validation: Events,
        others: Events,
        settings: SupportVectorSettings,
        ground: GroundSettings,
        seed: int,
        objects: ObjectSettings,
        threads: int = 1,
    ) -> None:
        self._ground, self._threads = ground, threads
        self.training: PaddedSets = sets_3d(background, ground)
        squared = distances_within(self.training, threads)
        self.median = float(np.median(squared[np.triu_indices(len(squared), 1)]))
        if not self.median > 0:
            first, second = np.argwhere(np.triu(squared == 0, 1))[0]
            raise EventError(
                f"half of the pairs of {len(squared)} training events are at no distance, the first one rows {first} "
                f"and {second}, so the kernel has no scale; give events that differ"
            )
        n = min(settings.scan_events, len(background))
        events = (validation, augment(others, seed, objects)[0])
        tests = [distance_matrix(sets_3d(e, ground), self.training[:n], threads) for e in events]
        self.aucs = {}
        for scale in settings.scales:
            machine = KernelMachine(squared[:n, :n], scale / self.median, settings.nu)
            self.aucs[scale] = rank_auc(*(machine.outlyingness(test) for test in tests))
        self.scale = max(self.aucs, key=lambda scale: (self.aucs[scale], -scale))
        self.chosen = KernelMachine(squared, self.scale / self.median, settings.nu)
        self.paper = KernelMachine(squared, settings.paper_gamma, settings.nu)

    @property
    def kept(self) -> PaddedSets:
        """Training events whose weight in the chosen machine is not zero; all, where the spectrum was clipped."""
        return self.training[np.flatnonzero(self.chosen.weights)]

    def outlying(self, events: Events) -> Floats:
        """Decision function of the chosen machine alone, with the sign of `scores`, from the events that it needs."""
        rows = np.flatnonzero(self.chosen.weights)
        squared = distance_matrix(sets_3d(events, self._ground), self.training[rows], self._threads)
        return self.chosen.outlyingness(squared, rows)

    def scores(self, events: Events) -> dict[str, Floats]:
        """Score events by both machines: decision function and hard label (1 outside, 0 inside), shape (n,) each."""
        parts = []
        for start in range(0, len(events), BLOCK):
            tests = sets_3d(events[start : start + BLOCK], self._ground)
            squared = distance_matrix(tests, self.training, self._threads)
            parts.append([machine.outlyingness(squared) for machine in (self.chosen, self.paper)])
        chosen, paper = (np.concatenate(column) for column in zip(*parts, strict=True))
        return {
            "ot_3d_svm": chosen,
            "ot_3d_svm_labels": (chosen > 0).astype(np.float64),
            "ot_3d_svm_paper": paper,
            "ot_3d_svm_paper_labels": (paper > 0).astype(np.float64),
        }

    def record(self) -> dict[str, object]:
        """Say what was chosen and what the kernels were like."""
        return {
            "median_squared_distance": self.median,
            "auc_by_scale": self.aucs,
            "scale": self.scale,
            "gamma": self.chosen.gamma,
            "support_vectors": self.chosen.support,
            "spectrum": self.chosen.spectrum._asdict(),
            "paper": {
                "gamma": self.paper.gamma,
                "support_vectors": self.paper.support,
                "spectrum": self.paper.spectrum._asdict(),
            },
        }


def open_detector(given: Given) -> Opened:
    """Open the decision functions and labels of both machines; recorded is what was chosen.

    Raises
    ------
    DetectorError
        A file is not given.
    EventError
        See `prepare_machine`.
    """
    settings = given.settings
    assert isinstance(settings, SupportVectorScores)
    if given.validation is None:
        raise DetectorError(f"{given.method}: no --validation, the background events that choose gamma")
    training = training_events(given)
    machine = prepare_machine(training, given.validation, settings, settings.objects, given.threads)
    return scored_together(machine.scores, SUPPORT_VECTOR_METHODS, EventRows(settings.sets.total), machine.record())


def prepare_machine(
    training: Path, validation: Path, settings: ProtocolSettings, objects: ObjectSettings, threads: int = 1
) -> TransportMachine:
    """Train on the first background events of a file; choose with those of another one.

    Raises
    ------
    EventError
        A file has too few events, or they are all but alike; the message names it.
    """
    own, number = settings.support_vectors, settings.support_vectors.validation_events
    background = first_events(training, own.events)
    others = first_events(validation, number), first_events(validation, number, number)
    try:
        return TransportMachine(background, *others, own, settings.ground, settings.seed, objects, threads)
    except EventError as error:
        raise EventError(f"{training}: {error}") from None
