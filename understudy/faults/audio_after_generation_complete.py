"""Audio after its end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from understudy.acts import Outgoing
from understudy.faults.base import (
    Answer,
    Fault,
    audio_of,
    content_of,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class AudioAfterGenerationComplete(Fault):
    """Sends the last pieces of audio after generationComplete."""

    imitates = "livekit-plugins-google 1.8.9, which drops them"
    pieces: int = 2

    def begin(self) -> None:
        """Has nothing in hand."""
        self._held: deque[Outgoing] = deque()

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Keeps the last pieces back."""
        content = content_of(act)
        if content.get("interrupted"):
            self._held.clear()
        if audio_of(act):
            self._held.append(act)
            return (self._held.popleft(),) if len(self._held) > self.pieces else ()
        if content.keys() & {"generationComplete", "turnComplete"}:
            held = list(self._held)
            self._held.clear()
            return (*held, act) if "turnComplete" in content else (act, *held)
        return (act,)
