"""An announced end."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Later
from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Closing,
)
from understudy.moments import Moment, Place, Scene
from understudy.wire import duration


@dataclass(kw_only=True)
class GoAway(Closing):
    """Sends goAway after nine minutes and closes when its time is over."""

    imitates = "interpretab, autonomous-os#238: 1008 50.4 s after the goAway"
    moment = Moment(Place.CLOCK, after_s=540.0)
    code: int = 1008
    reason: str = "The operation was aborted."
    left_s: float = 50.0

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Announces the end and plans it."""
        going = Send({"goAway": {"timeLeft": duration(self.left_s)}})
        return (going, Later(self.left_s, self.close()))
