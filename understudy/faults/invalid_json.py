"""A message that clients do not expect."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Raw
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class InvalidJson(Fault):
    """Sends a message that is no JSON."""

    imitates = "an error page where a frame should be"
    moment = Moment(Place.AFTER_SETUP)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Sends it."""
        return (Raw(b"<html><title>502 Bad Gateway</title></html>"),)
