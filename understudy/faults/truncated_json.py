"""A message that clients do not expect."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Raw
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene
from understudy.wire import encode


@dataclass(kw_only=True)
class TruncatedJson(Fault):
    """Sends a message that ends in the middle."""

    imitates = "a frame cut by a proxy"
    moment = Moment(Place.AFTER_SETUP)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Sends it."""
        return (
            Raw(encode({"serverContent": {"modelTurn": {"parts": [{"text": "Hello"}]}}})[:-20]),
        )
