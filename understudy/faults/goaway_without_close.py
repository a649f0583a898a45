"""An announced end that does not come."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class GoAwayWithoutClose(Fault):
    """Sends goAway with no time left, and goes on."""

    imitates = "goAway as the only hint; clients that wait for the close"
    moment = Moment(Place.CLOCK, after_s=540.0)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Announces the end."""
        return (Send({"goAway": {"timeLeft": "0s"}}),)
