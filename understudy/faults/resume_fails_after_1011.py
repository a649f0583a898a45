"""A handle that cannot bring back a failed session."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Outgoing
from understudy.effects import Close
from understudy.faults.base import (
    Answer,
    ResumeRefusing,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class ResumeFailsAfter1011(ResumeRefusing):
    """Refuses handles of sessions that ended with 1011."""

    imitates = "kazunori279/adk-streaming-guide#11"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Spoils the handles at a 1011."""
        if isinstance(act, Close) and act.code == 1011:
            self.spoil()
        return super().send(act, scene, now_s)
