"""Generate whole events with a lepton: Pythia with an early veto, decays tried several times, detector, selection."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import SimulationError
from oddjet.simulation.detector import Candidates, VisibleParticles, reconstruct
from oddjet.simulation.event_processes import EVENT_PROCESSES, EventProcess, event_pythia_settings
from oddjet.simulation.event_veto import EarlyVeto
from oddjet.simulation.generate import captured_output, generator_facts, new_pythia
from oddjet.simulation.parts import derive_seed
from oddjet.simulation.settings import SimulationSettings

LOGGER = logging.getLogger("oddjet")

# From the candidates of n events to the events that are selected: shape (m, 19, 4), m at most that many.
Select = Callable[[Candidates, int], NDArray[np.float64]]

EVENTS_A_BATCH = 100
# What the detector could still turn into an isolated lepton above 23 GeV.
LEPTON_PT_MIN, LEPTON_ETA_MAX, ISOLATION_MAX, CONE = 22.4, 2.6, 0.6, 0.3
# Of one event with several successful decays, at most this number are kept, all but one turned by random angles.
COPIES_MAX = 3

Record = NDArray[np.float64]  # (particles, 6): PDG code, charge, px, py, pz, E of the visible stable ones


def simulate_events(
    process: str, settings: SimulationSettings, select: Select, *, sample: str, part: int, events: int, seed: int
) -> tuple[NDArray[np.float64], dict[str, float | str]]:
    """Simulate events until enough are selected.

    Parameters
    ----------
    process
        A key of `EVENT_PROCESSES`.
    settings
        Beam, underlying event, detector.
    select
        From candidates to selected events; see `Select`.
    sample, part, seed
        From which the job's seed follows; see `oddjet.simulation.parts.derive_seed`.
    events
        Number of selected events.

    Returns
    -------
    numpy.ndarray
        Shape (events, 19, 4).
    dict
        `pythia_version`, `cross_section_pb` of what is generated, `tried` events, and `efficiency` of the selection
        (for a process with forced decays: given these decays).

    Raises
    ------
    SimulationError
        The process is unknown, `events` is below 1, Pythia refuses a setting or gives up too many events.
    """
    if process not in EVENT_PROCESSES:
        raise SimulationError(f"process {process!r} is unknown; there are: {', '.join(EVENT_PROCESSES)}.")
    if events < 1:
        raise SimulationError(f"events = {events}: a sample needs at least 1 event.")
    job_seed = derive_seed(seed, sample, part)
    # One generator a purpose: a change of the detector leaves Pythia's events and the choice among them alone.
    detector, choice = (np.random.default_rng([job_seed, purpose]) for purpose in (0, 1))
    source = EventSource(EVENT_PROCESSES[process], event_pythia_settings(process, settings, job_seed), choice, settings)
    selected: list[NDArray[np.float64]] = []
    done = seen = 0
    while done < events:
        # Few of the records are left over at the end: most pass the selection.
        records = source.next_records(min(EVENTS_A_BATCH, events - done + 10))
        particles = to_particles(records)
        chosen = select(reconstruct(particles, settings.detector, detector), len(records))
        selected.append(chosen)
        done += len(chosen)
        seen += len(records)
        LOGGER.info("%s/%d: %d of %d events", sample, part, min(done, events), events)
    facts = source.facts() | {"efficiency": source.hits_per_event() * done / seen}
    LOGGER.info("%s/%d: %d events of %d tried, efficiency %.3g", sample, part, done, source.tried, facts["efficiency"])
    return np.concatenate(selected)[:events], facts


class EventSource:
    """Pythia events that have a lepton, one after the other."""

    def __init__(
        self, process: EventProcess, lines: list[str], generator: np.random.Generator, settings: SimulationSettings
    ) -> None:
        self._process = process
        self._generator = generator
        self._failed_fraction_max = settings.failed_fraction_max
        with captured_output() as output:
            self._pythia = new_pythia()
            refused = [line for line in lines if not self._pythia.readString(line)]
            self._veto = EarlyVeto(self._pythia, process, generator)
            self._pythia.setUserHooksPtr(self._veto)
            started = not refused and self._pythia.init()
        if not started:
            raise SimulationError(f"Pythia does not start with {refused or lines} ({output()}).")
        self._kinds: dict[int, tuple[bool, int]] = {}
        self._hits = 0.0
        self._generated = self._failed = self._accepted = 0

    @property
    def tried(self) -> int:
        """Events that were begun."""
        return self._veto.tried

    def hits_per_event(self) -> float:
        """Mean number of events with a lepton for each one begun."""
        return self._hits / self.tried

    def facts(self) -> dict[str, float | str]:
        """Give what is known after generation."""
        facts = generator_facts(self._pythia)
        # Pythia takes what was given up out of its cross section; the efficiency counts it.
        facts["cross_section_pb"] = float(facts["cross_section_pb"]) * self.tried / self._accepted
        del facts["cross_section_error_pb"]
        return {**facts, "tried": float(self.tried)}

    def next_records(self, size: int) -> list[Record]:
        """Give the next `size` events with a lepton (or one more)."""
        records: list[Record] = []
        with captured_output() as output:
            while len(records) < size:
                self._set_decays(allowed=False)
                self._generated += 1
                if self._pythia.next():
                    self._accepted += 1
                    records += self._with_lepton()
                else:
                    self._failed += 1
                    if self._failed > max(10.0, self._failed_fraction_max * self._generated):
                        break
        if len(records) < size:
            raise SimulationError(
                f"Pythia gave up {self._failed} of {self._generated} events ({output()}). Change the process, or raise "
                "simulation.failed_fraction_max if the loss does not matter."
            )
        return records

    def _with_lepton(self) -> list[Record]:
        """Let the event at hand decay, as often as its process says; give those copies that have a lepton."""
        pythia, splitting = self._pythia, self._process.splitting
        self._set_decays(allowed=True)
        event = pythia.event
        tries = 1 if self._veto.prompt else splitting.tries
        weight = 1.0 if self._veto.prompt else 1 / (splitting.tries * splitting.survive)
        size = event.size()
        decaying = [
            n for n in range(size if tries > 1 else 0) if event[n].idAbs() in splitting.decays and event[n].isFinal()
        ]
        found: list[Record] = []
        rest: Record | None = None
        for attempt in range(tries):
            if attempt:
                _undo_decays(event, size, decaying)
            if not pythia.moreDecays():
                continue
            if not self._veto.prompt and not any(
                event[n].idAbs() in (11, 13) and event[n].pT() > LEPTON_PT_MIN for n in range(size, event.size())
            ):
                continue
            if rest is None:
                rest = self._record(range(size))
            record = np.concatenate([rest, self._record(range(size, event.size()))])
            if has_isolated_lepton(record):
                self._hits += weight
                found.append(record)
        kept = [found[n] for n in self._generator.permutation(len(found))[:COPIES_MAX]]
        angles = self._generator.uniform(-np.pi, np.pi, len(kept))
        return kept[:1] + [turned(record, angle) for record, angle in zip(kept[1:], angles[1:], strict=True)]

    def _record(self, numbers: range) -> Record:
        """Give the visible stable ones among some particles of the event at hand."""
        rows = []
        event = self._pythia.event
        for number in numbers:
            particle = event[number]
            if particle.isFinal():
                visible, charge = self._kind(particle.id())
                if visible:
                    rows.append((particle.id(), charge, particle.px(), particle.py(), particle.pz(), particle.e()))
        return np.array(rows, dtype=np.float64).reshape(len(rows), 6)

    def _kind(self, code: int) -> tuple[bool, int]:
        if code not in self._kinds:
            data = self._pythia.particleData
            self._kinds[code] = bool(data.isVisible(code)), data.chargeType(code) // 3
        return self._kinds[code]

    def _set_decays(self, *, allowed: bool) -> None:
        for code in self._process.splitting.decays:
            self._pythia.particleData.mayDecay(code, allowed)


def _undo_decays(event: Any, size: int, decaying: list[int]) -> None:  # noqa: ANN401
    """Take away what decays have added to an event record of `size` particles."""
    event.popBack(event.size() - size)
    for n in decaying:
        event[n].statusPos()
        event[n].daughters(0, 0)


def has_isolated_lepton(record: Record) -> bool:
    """Whether an electron or a muon is hard, central and isolated enough to be worth a look by the detector."""
    pt = np.hypot(record[:, 2], record[:, 3])
    with np.errstate(divide="ignore"):
        eta = np.arcsinh(record[:, 4] / pt)
    phi = np.arctan2(record[:, 3], record[:, 2])
    leptons = np.isin(np.abs(record[:, 0]), (11, 13)) & (pt > LEPTON_PT_MIN) & (np.abs(eta) < LEPTON_ETA_MAX)
    for lepton in np.flatnonzero(leptons):
        distance = np.hypot(eta - eta[lepton], np.remainder(phi - phi[lepton] + np.pi, 2 * np.pi) - np.pi)
        if pt[distance < CONE].sum() - pt[lepton] < ISOLATION_MAX * pt[lepton]:
            return True
    return False


def turned(record: Record, angle: float) -> Record:
    """Turn an event about the beam."""
    cosine, sine = np.cos(angle), np.sin(angle)
    result = record.copy()
    result[:, 2] = cosine * record[:, 2] - sine * record[:, 3]
    result[:, 3] = sine * record[:, 2] + cosine * record[:, 3]
    return result


def to_particles(records: list[Record]) -> VisibleParticles:
    """Put the particles of several events into the detector's flat arrays, those along the beam left out."""
    event = np.repeat(np.arange(len(records)), [len(record) for record in records])
    merged = np.concatenate(records)
    pt = np.hypot(merged[:, 2], merged[:, 3])
    chosen = pt > 0
    merged, pt = merged[chosen], pt[chosen]
    return VisibleParticles(
        event=event[chosen],
        pdg_id=merged[:, 0].astype(np.int64),
        charge=merged[:, 1].astype(np.int64),
        pt=pt,
        eta=np.arcsinh(merged[:, 4] / pt),
        phi=np.arctan2(merged[:, 3], merged[:, 2]),
        energy=merged[:, 5],
    )
