"""A transcript behind its speech."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
    content_of,
    without,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class LateTranscript(Fault):
    """Sends what the model said as text late, even after the turn."""

    imitates = "the documentation: no order between transcription and model turn"
    delay_ms: int = 3000

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Sends the audio now and the text later."""
        if not isinstance(act, Send) or "outputTranscription" not in content_of(act):
            return (act,)
        said = {"serverContent": {"outputTranscription": content_of(act)["outputTranscription"]}}
        rest = without(act, "outputTranscription")
        late = Later(self.delay_ms / 1000, Send(said))
        return (rest, late) if rest else (late,)
