"""Text and sound at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import (
    Ending,
)
from understudy.messages import (
    ClientContent,
    ClientMessage,
    RealtimeMedia,
    RealtimeText,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class Interleave1007(Ending):
    """Closes with 1007 when realtime input follows a complete clientContent too soon."""

    imitates = "pipecat-ai/pipecat#4403"
    code: int = 1007
    reason: str = "Request contains an invalid argument."
    window_ms: int = 500

    def begin(self) -> None:
        """Has heard no content."""
        self._content_s: float | None = None

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Closes when the two race."""
        if isinstance(message, ClientContent) and message.turn_complete:
            self._content_s = now_s
        is_realtime = isinstance(message, RealtimeMedia | RealtimeText)
        if is_realtime and self._content_s is not None:
            if now_s - self._content_s <= self.window_ms / 1000:
                return (self.close(),)
        return (message,)
