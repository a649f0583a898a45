"""A cancelled call."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects import Send
from understudy.faults.base import (
    Answer,
    Fault,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class CancelTool(Fault):
    """Cancels every call that runs, a second after it was made."""

    imitates = "the documentation of toolCallCancellation; ignored by Pipecat 1.14"
    moment = Moment(Place.TOOL, after_s=1.0)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Cancels."""
        return (Send({"toolCallCancellation": {"ids": sorted(scene.calls)}}),)
