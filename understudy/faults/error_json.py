"""A message that clients do not expect."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Raw
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene
from understudy.wire import encode


@dataclass(kw_only=True)
class ErrorJson(Fault):
    """Sends an error as JSON instead of a close code, which ends google-genai with TypeError."""

    imitates = "CopilotKit/aimock 1.43.0"
    moment = Moment(Place.AFTER_SETUP)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Sends it."""
        return (
            Raw(
                encode({"error": {"code": 500, "message": "Internal error", "status": "INTERNAL"}})
            ),
        )
