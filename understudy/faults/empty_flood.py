"""Messages that say nothing."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Later
from understudy.effects import Send
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class EmptyFlood(Fault):
    """Sends empty messages, `{}` and `{"serverContent":{}}`, many and fast."""

    imitates = "recorded frames of gemini-3.8-live, where they come between audio"
    moment = Moment(Place.AFTER_SETUP)
    count: int = 1000
    per_s: int = 500

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Sends them."""
        empty = (Send({}), Send({"serverContent": {}}))
        return [Later(i / max(self.per_s, 1), empty[i % 2]) for i in range(self.count)]
