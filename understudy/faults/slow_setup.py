"""A setup whose answer takes its time."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class SlowSetup(Fault):
    """Answers the setup late, and sends nothing before."""

    imitates = "livekit/agents#3560, #3821, #4017: generate_reply before the session is ready"
    moment = Moment(Place.SETUP)
    delay_ms: int = 3000

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Begins to wait."""
        self._until_s = now_s + self.delay_ms / 1000
        return ()

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Holds everything back until then."""
        return (Later(max(0.0, self._until_s - now_s), act),)
