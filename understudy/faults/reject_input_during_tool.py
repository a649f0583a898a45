"""No talking during a call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import (
    Ending,
)
from understudy.messages import (
    ClientMessage,
    RealtimeMedia,
    RealtimeText,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class RejectInputDuringTool(Ending):
    """Closes with 1008 when realtime input comes while a tool runs."""

    imitates = "googleapis/js-genai#1236"
    code: int = 1008
    reason: str = "Operation is not implemented, or supported, or enabled."

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Closes."""
        if scene.calls and isinstance(message, RealtimeMedia | RealtimeText):
            return (self.close(),)
        return (message,)
