"""An interruption after the end."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class LateInterrupt(Fault):
    """Sends interrupted after turnComplete, as when playback is assumed to go on."""

    imitates = "livekit-plugins-google 1.8.9"
    moment = Moment(Place.TURN_COMPLETE)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Interrupts."""
        return (Send({"serverContent": {"interrupted": True}}),)
