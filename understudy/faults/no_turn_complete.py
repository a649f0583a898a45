"""Turns without an end."""

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
class NoTurnComplete(Fault):
    """Never sends turnComplete, nor usage."""

    imitates = "googleapis/python-genai#1224; gemini-3.1 as recorded by interpretab"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Leaves turnComplete out."""
        return () if "turnComplete" in content_of(act) else (act,)
