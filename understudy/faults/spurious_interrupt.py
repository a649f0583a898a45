"""An interruption by nobody."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class SpuriousInterrupt(Fault):
    """Sends interrupted while it speaks, though nobody said anything, and goes on."""

    imitates = "google-gemini/cookbook#1197: line noise and voicemail menus"
    moment = Moment(Place.SPEAKING, after_s=1.0)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Interrupts."""
        return (Send({"serverContent": {"interrupted": True}}),)
