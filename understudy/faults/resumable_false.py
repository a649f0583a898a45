"""Handles of no use."""

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
class ResumableFalse(Fault):
    """Says resumable false, with an empty handle, in each sessionResumptionUpdate."""

    imitates = "the documentation: while generating or executing calls"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Takes the handle away."""
        if isinstance(act, Send) and "sessionResumptionUpdate" in act.message:
            return (Send({"sessionResumptionUpdate": {"resumable": False}}),)
        return (act,)
