"""A cancellation too late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.effects import Send
from understudy.faults.base import (
    Fault,
)
from understudy.messages import (
    ClientMessage,
    ToolResponse,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class LateToolCancellation(Fault):
    """Cancels a call when its response is there already."""

    imitates = "the documentation of toolCallCancellation: it races the response"
    delay_ms: int = 100

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Cancels what is answered."""
        if isinstance(message, ToolResponse) and message.ids:
            cancelled = Send({"toolCallCancellation": {"ids": list(message.ids)}})
            return (message, Later(self.delay_ms / 1000, cancelled))
        return (message,)
