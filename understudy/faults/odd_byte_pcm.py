"""Half a sample."""

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
class OddBytePcm(Fault):
    """Cuts pieces of audio at odd bytes: samples are split between messages."""

    imitates = "audio cut by bytes instead of samples"

    def begin(self) -> None:
        """Has nothing in hand."""
        self._carry = b""

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Moves one byte to the next piece."""
        audio = audio_of(act)
        if not isinstance(act, Send) or not audio:
            return (act,)
        data = self._carry + audio
        cut = len(data) - 1 if len(data) % 2 == 0 else len(data)
        self._carry = data[cut:]
        return (with_audio(act, data[:cut]),)
