"""Turns without usage."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Outgoing
from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class NoUsage(Fault):
    """Never sends usageMetadata."""

    imitates = "gemini-3.1 as recorded by interpretab"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Leaves usage out."""
        if isinstance(act, Send) and "usageMetadata" in act.message:
            return (Send({k: v for k, v in act.message.items() if k != "usageMetadata"}),)
        return (act,)
