"""Audio with holes."""

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
class AudioGaps(Fault):
    """Replaces every third piece of audio by silence."""

    imitates = "googleapis/python-genai#985, broken-up audio"
    every: int = 3

    def begin(self) -> None:
        """Counts from the start."""
        self._count = 0

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Silences a piece now and then."""
        audio = audio_of(act)
        if not isinstance(act, Send) or not audio:
            return (act,)
        self._count += 1
        return (
            with_audio(act, bytes(len(audio))) if self._count % max(self.every, 1) == 0 else act,
        )
