"""An answer twice."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Outgoing
from understudy.faults.base import (
    Answer,
    Fault,
    content_of,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class DoubleAnswer(Fault):
    """Says an answer again, word for word, when the turn is over."""

    imitates = "livekit/agents#4554, #3898"

    def begin(self) -> None:
        """Has heard nothing yet."""
        self._said: list[Outgoing] = []

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Remembers the answer and repeats it."""
        content = content_of(act)
        if content.keys() & {"modelTurn", "outputTranscription", "generationComplete"}:
            self._said.append(act)
        elif content.get("interrupted"):
            self._said = []
        elif "turnComplete" in content:
            said, self._said = self._said, []
            return (act, *said, act) if said else (act,)
        return (act,)
