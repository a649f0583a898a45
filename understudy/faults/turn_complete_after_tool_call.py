"""A turn that ends with a toolCall."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class TurnCompleteAfterToolCall(Fault):
    """Ends the turn right after a toolCall, with a finished transcript."""

    imitates = "livekit/agents#3192"
    moment = Moment(Place.TOOL)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Ends the turn."""
        finished = {"outputTranscription": {"finished": True}}
        return (Send({"serverContent": finished}), Send({"serverContent": {"turnComplete": True}}))
