"""A turn without an answer."""

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
class SilentTurn(Fault):
    """Takes the turn and says nothing: no audio, no text, turnComplete at once."""

    imitates = "gemini-3.8 ending a turn silently; empty turns in livekit/agents"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Leaves what is said out."""
        if content_of(act).keys() & {"modelTurn", "outputTranscription", "generationComplete"}:
            return ()
        return (act,)
