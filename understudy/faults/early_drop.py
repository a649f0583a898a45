"""Some connections are lost soon."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Reset
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class EarlyDrop(Fault):
    """Resets every tenth connection 10 s after it began."""

    imitates = "gradio-app/fastrtc#344"
    moment = Moment(Place.CLOCK, after_s=10.0)
    every: int = 10

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Resets, if it is this connection's lot."""
        return (Reset(),) if self.every and scene.connection % self.every == 0 else ()
