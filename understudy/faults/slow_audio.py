"""Audio slower than it plays."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
    audio_of,
    content_of,
)
from understudy.moments import Scene, audio_s


@dataclass(kw_only=True)
class SlowAudio(Fault):
    """Sends audio slower than it plays, so that playback runs dry; just as fast with `speed` 1."""

    imitates = "googleapis/python-genai#985, broken-up audio"
    speed: float = 0.5

    def begin(self) -> None:
        """Has nothing on its way."""
        self._free_s = 0.0

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Spreads the audio; the end of the turn waits for it, an interruption does not."""
        content = content_of(act)
        if content.get("interrupted") or not content:
            self._free_s = 0.0 if content else self._free_s
            return (act,)
        at_s = max(now_s, self._free_s)
        if isinstance(act, Send) and audio_of(act):
            self._free_s = at_s + audio_s(act.message) / max(self.speed, 0.01)
        return (Later(at_s - now_s, act),)
