"""What a client says while it reconnects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import Answer, Fault
from understudy.messages import ClientMessage, Setup
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class ReconnectWindow(Fault):
    """A resumed session is answered late, and what the client says before is lost."""

    imitates = "pipecat-ai/pipecat#5465, #2961, #4242"
    moment = Moment(Place.RESUME)
    delay_ms: int = 3000

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Begins to wait."""
        self._until_s = now_s + self.delay_ms / 1000
        return ()

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Loses everything but the setup."""
        if isinstance(message, Setup) or now_s >= self._until_s:
            return (message,)
        return ()

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Holds everything back until then."""
        return (Later(max(0.0, self._until_s - now_s), act),)
