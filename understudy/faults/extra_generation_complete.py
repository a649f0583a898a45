"""An end too many."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class ExtraGenerationComplete(Fault):
    """Sends generationComplete right after a toolCall, which stops the tool in some clients."""

    imitates = "livekit/agents#4691, fixed in #4699"
    moment = Moment(Place.TOOL)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Sends it."""
        return (Send({"serverContent": {"generationComplete": True}}),)
