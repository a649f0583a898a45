"""A connection that is reset."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Reset
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class Rst(Fault):
    """Resets the TCP connection: no close frame, 1006 at the client."""

    imitates = "google/adk-python#3035"
    moment = Moment(Place.AFTER_SETUP)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Resets."""
        return (Reset(),)
