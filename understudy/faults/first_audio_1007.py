"""A configuration that audio does not suit."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.errors import INVALID_ARGUMENT
from understudy.faults.base import Rejecting, is_audio_in
from understudy.messages import ClientMessage
from understudy.moments import Scene


@dataclass(kw_only=True)
class FirstAudio1007(Rejecting):
    """Closes with 1007 at the first piece of audio."""

    imitates = "googleapis/js-genai#1189"
    code: int = 1007
    reason: str = INVALID_ARGUMENT

    def rejects(self, message: ClientMessage, scene: Scene, now_s: float) -> bool:
        """Whether it is audio."""
        return is_audio_in(message)
