"""Speech that is not transcribed."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Outgoing
from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
    content_of,
    without,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class MissingInputTranscript(Fault):
    """Never sends what the user said as text."""

    imitates = "pipecat-ai/pipecat#4147, #4148: transcripts that never arrive"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Leaves the transcript out."""
        if isinstance(act, Send) and "inputTranscription" in content_of(act):
            act_left = without(act, "inputTranscription")
            return (act_left,) if act_left else ()
        return (act,)
