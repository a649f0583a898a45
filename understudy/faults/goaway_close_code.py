"""An announced end of another kind."""

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
class GoAwayCloseCode(Closing):
    """Sends goAway and then closes with 1011 instead of 1008."""

    imitates = "kizuna-ai-lab/sokuji#179"
    moment = Moment(Place.CLOCK, after_s=540.0)
    code: int = 1011
    reason: str = "Internal error encountered."
    left_s: float = 50.0

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Announces the end and plans it."""
        going = Send({"goAway": {"timeLeft": duration(self.left_s)}})
        return (going, Later(self.left_s, self.close()))
