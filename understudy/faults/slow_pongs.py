"""Pongs that take their time."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Pongs
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class SlowPongs(Fault):
    """Answers each ping late."""

    imitates = "connections that look alive with seconds of latency"
    moment = Moment(Place.AFTER_SETUP)
    delay_ms: int = 5000

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Slows the pongs."""
        return (Pongs(self.delay_ms / 1000),)
