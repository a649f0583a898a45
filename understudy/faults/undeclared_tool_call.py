"""A tool nobody has."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class UndeclaredToolCall(Fault):
    """Calls a function, by default one that was never declared."""

    imitates = "models that invent functions; MALFORMED_FUNCTION_CALL"
    moment = Moment(Place.TURN)
    name: str = "no_such_tool"
    id: str = "fc_388030353362159993"

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Calls it."""
        call = {"name": self.name, "args": {}, "id": f"{self.id}{scene.turn}"}
        return (Send({"toolCall": {"functionCalls": [call]}}),)
