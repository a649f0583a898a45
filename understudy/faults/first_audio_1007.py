"""No sound at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import (
    Ending,
    is_audio_in,
)
from understudy.messages import (
    ClientMessage,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class FirstAudio1007(Ending):
    """Closes with 1007 at the first piece of audio."""

    imitates = "googleapis/js-genai#1189"
    code: int = 1007
    reason: str = "Request contains an invalid argument."

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Closes."""
        return (self.close(),) if is_audio_in(message) else (message,)
