"""No sound during a call."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Rejecting, is_audio_in
from understudy.messages import ClientMessage
from understudy.moments import Scene


@dataclass(kw_only=True)
class AudioDuringTool(Rejecting):
    """Closes with 1007 when audio comes while a tool runs."""

    imitates = "hkjarral/AVA...#598"
    code: int = 1007
    reason: str = (
        "audio content type (CONTENT_TYPE_AUDIO) is not supported for this model configuration"
    )

    def rejects(self, message: ClientMessage, scene: Scene, now_s: float) -> bool:
        """Whether it is audio beside a call."""
        return bool(scene.calls) and is_audio_in(message)
