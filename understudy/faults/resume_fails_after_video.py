"""A handle that video has spoilt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import (
    ResumeRefusing,
)
from understudy.messages import (
    ClientMessage,
)
from understudy.moments import Scene, is_video


@dataclass(kw_only=True)
class ResumeFailsAfterVideo(ResumeRefusing):
    """Refuses handles of sessions that saw video; audio alone resumes."""

    imitates = "googleapis/python-genai#2290"

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Spoils the handles at the first picture."""
        if is_video(message):
            self.spoil()
        return super().hear(message, scene, now_s)
