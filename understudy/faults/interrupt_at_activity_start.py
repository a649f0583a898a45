"""An interruption of nothing."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class InterruptAtActivityStart(Fault):
    """Sends interrupted and turnComplete when the user begins to speak after the answer was over."""

    imitates = "langwatch/scenario#360"
    moment = Moment(Place.USER_SPEAKING)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Interrupts, if no turn is under way."""
        if scene.in_turn or not scene.turn:
            return ()
        messages = ({"interrupted": True}, {"turnComplete": True})
        return [Send({"serverContent": content}) for content in messages]
