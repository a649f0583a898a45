"""A setup without an answer."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Outgoing
from understudy.effects import Send
from understudy.faults.base import Answer, Fault
from understudy.moments import Scene


@dataclass(kw_only=True)
class NeverAnswerSetup(Fault):
    """The connection opens and stays silent."""

    imitates = "setups that hang, as seen by pipecat-ai/pipecat#4242"

    def send(self, act: Outgoing, scene: Scene, now_s: float) -> Answer:
        """Sends nothing."""
        return () if isinstance(act, Send) else (act,)
