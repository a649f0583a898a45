"""A dead network."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import BlackHole
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class Silent(Fault):
    """Falls silent with the socket open: nothing is read, pings and closing are not answered."""

    imitates = "google/adk-python#3035"
    moment = Moment(Place.AFTER_SETUP)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Falls silent."""
        return (BlackHole(),)
