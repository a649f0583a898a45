"""Pings without pongs."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Pongs
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class IgnoredPings(Fault):
    """Never answers a ping; everything else goes on."""

    imitates = "the 20 s keepalive of google-genai, which then reports 1006"
    moment = Moment(Place.AFTER_SETUP)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Stops the pongs."""
        return (Pongs(None),)
