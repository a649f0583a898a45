"""Too many pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import (
    Answer,
    Fault,
    content_of,
)
from understudy.messages import (
    ClientMessage,
)
from understudy.moments import Scene, is_video


@dataclass(kw_only=True)
class VideoFloodMutes(Fault):
    """Gives no answer at all once video comes faster than it takes."""

    imitates = "google-gemini/live-api-web-console#108"
    max_per_10_s: int = 20

    def begin(self) -> None:
        """Has seen nothing."""
        self._seen: deque[float] = deque()

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Counts pictures of the last second."""
        if is_video(message):
            self._seen.append(now_s)
        return (message,)

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Is mute while they are too many."""
        while self._seen and self._seen[0] <= now_s - 10:
            self._seen.popleft()
        is_flooded = len(self._seen) > self.max_per_10_s
        return () if is_flooded and content_of(act) else (act,)
