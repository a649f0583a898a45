"""Audio without its rate."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Outgoing
from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
    audio_of,
    with_audio,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class MimeWithoutRate(Fault):
    """Sends audio as audio/pcm without a rate."""

    imitates = "pipecat-ai 1.14, which drops any MIME type but one"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Shortens the MIME type."""
        audio = audio_of(act)
        if isinstance(act, Send) and audio:
            return (with_audio(act, audio, mime_type="audio/pcm"),)
        return (act,)
