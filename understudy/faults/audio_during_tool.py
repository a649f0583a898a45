"""No sound during a call."""

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
class AudioDuringTool(Ending):
    """Closes with 1007 when audio comes while a tool runs."""

    imitates = "hkjarral/AVA...#598"
    code: int = 1007
    reason: str = (
        "audio content type (CONTENT_TYPE_AUDIO) is not supported for this model configuration"
    )

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Closes."""
        if scene.calls and is_audio_in(message):
            return (self.close(),)
        return (message,)
