"""Turns that end early."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Outgoing
from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
    content_of,
)
from understudy.moments import Scene


@dataclass(kw_only=True)
class GenerationCompleteOnly(Fault):
    """Ends turns with generationComplete alone, and never sends usage."""

    imitates = "gemini-3.1 as recorded by interpretab"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Leaves turnComplete and usage out; an interrupted turn does without any end."""
        if isinstance(act, Send):
            if "turnComplete" in content_of(act):
                return ()
            if "usageMetadata" in act.message:
                return (Send({k: v for k, v in act.message.items() if k != "usageMetadata"}),)
        return (act,)
