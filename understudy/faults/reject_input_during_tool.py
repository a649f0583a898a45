"""No input during a call."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Rejecting
from understudy.messages import ClientMessage, RealtimeMedia, RealtimeText
from understudy.moments import Scene


@dataclass(kw_only=True)
class RejectInputDuringTool(Rejecting):
    """Closes with 1008 when realtime input comes while a tool runs."""

    imitates = "googleapis/js-genai#1236"
    code: int = 1008
    reason: str = "Operation is not implemented, or supported, or enabled."

    def rejects(self, message: ClientMessage, scene: Scene, now_s: float) -> bool:
        """Whether it is realtime input beside a call."""
        return bool(scene.calls) and isinstance(message, RealtimeMedia | RealtimeText)
