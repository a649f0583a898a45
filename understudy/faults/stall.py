"""A pause."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class Stall(Fault):
    """Sends nothing for some time, and then everything at once."""

    imitates = "googleapis/python-genai#985"
    moment = Moment(Place.SPEAKING)
    ms: int = 2000

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Begins to wait."""
        self._until_s = now_s + self.ms / 1000
        return ()

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Holds everything back until then."""
        return (Later(max(0.0, self._until_s - now_s), act),)
