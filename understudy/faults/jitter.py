"""An uneven network."""

from __future__ import annotations

import random
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class Jitter(Fault):
    """Delays each message by a random time, in order."""

    imitates = "mobile networks"
    max_ms: int = 300

    def begin(self) -> None:
        """Has the same luck in each connection."""
        self._random = random.Random(7)
        self._last_s = 0.0

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Delays it, but never past the next."""
        at_s = now_s + self._random.uniform(0, self.max_ms / 1000)
        self._last_s = max(self._last_s, at_s)
        return (Later(self._last_s - now_s, act),)
