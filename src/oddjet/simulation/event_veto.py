"""Give an event up early: Pythia asks when its shower has come down to a few GeV, with most of the work still to do.

Multiparton interactions below that scale take four fifths of the time of an event, and whether it can have a lepton
above the trigger's threshold is known before them: showers and recoils below 5 GeV move a lepton by less than the
margin that is left here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pythia8mc

from oddjet.simulation.event_processes import TAU, EventProcess

SCALE = 5.0  # GeV of transverse momentum of the shower
LEPTON_PT_MIN = 20.0  # GeV, prompt electrons and muons; the trigger asks for 23 GeV
TAU_PT_MIN = 25.0  # GeV: less than 1 % of softer taus decay to a lepton above 23 GeV
ETA_MAX = 2.7
BOTTOM = 5
FIRST_INTERACTION = 5  # Pythia calls with higher positions after the resonances' decays


class EarlyVeto(pythia8mc.UserHooks):  # type: ignore[misc]  # pythia8mc has no types
    """Keep events that can have a trigger lepton.

    Attributes
    ----------
    tried
        Events that were looked at.
    prompt
        Whether the event at hand has an electron or a muon of the hard process, not from a tau alone.
    """

    def __init__(self, pythia: pythia8mc.Pythia, process: EventProcess, generator: np.random.Generator) -> None:
        """Watch the events of `pythia`; `generator` draws which events without a prompt lepton survive."""
        pythia8mc.UserHooks.__init__(self)
        self._pythia = pythia
        self._process = process
        self._generator = generator
        self.tried = 0
        self.prompt = False

    def canVetoPT(self) -> bool:  # noqa: N802  Pythia's name
        """Ask to be called."""
        return True

    def scaleVetoPT(self) -> float:  # noqa: N802
        """Give the scale at which."""
        return SCALE

    def doVetoPT(self, position: int, event: Any) -> bool:  # noqa: N802, ANN401
        """Say whether to give the event up."""
        if position >= FIRST_INTERACTION:
            return False
        self.tried += 1
        if self._process.quark_pt_min is not None:
            self.prompt = False
            return not any(
                parton.isFinal() and parton.pT() > self._process.quark_pt_min and abs(parton.eta()) < ETA_MAX
                for parton in event
                if parton.idAbs() == BOTTOM
            )
        flavours = self._leptons(event)
        self.prompt = bool(flavours - {TAU})
        if self.prompt or not flavours:
            return not self.prompt
        return bool(self._generator.random() > self._process.splitting.survive)

    def _leptons(self, event: Any) -> set[int]:  # noqa: ANN401
        """Flavours of the hard process's leptons above threshold, moved along with what they come from."""
        process = self._pythia.process
        resonances = {particle.id(): particle for particle in event if particle.isFinal()}
        found = set()
        for index in range(BOTTOM, process.size()):
            lepton = process[index]
            if lepton.idAbs() not in (11, 13, TAU) or not lepton.isFinal():
                continue
            ancestor = index
            while process[ancestor].mother1() > 4:  # 3 and 4 are the partons that collide
                ancestor = process[ancestor].mother1()
            momentum = pythia8mc.Vec4(lepton.p())
            moved = resonances.get(process[ancestor].id())
            if moved is not None and ancestor != index:
                momentum.bstback(process[ancestor].p())
                momentum.bst(moved.p())
            threshold = TAU_PT_MIN if lepton.idAbs() == TAU else LEPTON_PT_MIN
            if momentum.pT() > threshold and abs(momentum.eta()) < ETA_MAX:
                found.add(int(lepton.idAbs()))
        return found
