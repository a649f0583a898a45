"""The same handle again."""

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
class DuplicateHandle(Fault):
    """Sends each resumption handle twice."""

    imitates = "updates that repeat a handle; clients that count them"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Repeats it."""
        if isinstance(act, Send) and "sessionResumptionUpdate" in act.message:
            return (act, act)
        return (act,)
