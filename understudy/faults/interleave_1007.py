"""Two kinds of input that race."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.errors import INVALID_ARGUMENT
from understudy.faults.base import Rejecting
from understudy.messages import ClientContent, ClientMessage, RealtimeMedia, RealtimeText
from understudy.moments import Scene


@dataclass(kw_only=True)
class Interleave1007(Rejecting):
    """Closes with 1007 when realtime input follows a complete clientContent too soon."""

    imitates = "pipecat-ai/pipecat#4403"
    code: int = 1007
    reason: str = INVALID_ARGUMENT
    window_ms: int = 500

    def begin(self) -> None:
        """Has heard no content."""
        self._content_s: float | None = None

    def rejects(self, message: ClientMessage, scene: Scene, now_s: float) -> bool:
        """Whether the two race."""
        if isinstance(message, ClientContent) and message.turn_complete:
            self._content_s = now_s
        if self._content_s is None or not isinstance(message, RealtimeMedia | RealtimeText):
            return False
        return now_s - self._content_s <= self.window_ms / 1000
