"""Audio at once."""

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
class BurstAudio(Fault):
    """Sends the audio of an answer all at once, when it is generated."""

    imitates = "recorded bursts; the documentation: as quickly as possible, not in real time"

    def begin(self) -> None:
        """Has nothing in hand."""
        self._held: list[Outgoing] = []

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Holds audio until generationComplete."""
        content = content_of(act)
        if content.get("interrupted"):
            self._held = []
        if content.keys() & {"modelTurn", "outputTranscription"}:
            self._held.append(act)
            return ()
        if not content.keys() & {"generationComplete", "turnComplete"}:
            return (act,)
        held, self._held = self._held, []
        return (*held, act)
