"""No handles."""

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
class NoHandle(Fault):
    """Never sends a resumption handle."""

    imitates = "the 2.5 models, which give none before a turn is over"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Leaves it out."""
        is_handle = isinstance(act, Send) and "sessionResumptionUpdate" in act.message
        return () if is_handle else (act,)
