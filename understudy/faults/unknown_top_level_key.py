"""A message that clients do not expect."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.acts import Raw
from understudy.faults.base import Answer, Fault
from understudy.moments import Moment, Place, Scene
from understudy.wire import encode


@dataclass(kw_only=True)
class UnknownTopLevelKey(Fault):
    """Sends a message with an unknown key alone, which ends google-genai with TypeError."""

    imitates = 'google-genai 2.34: "<=" not supported between "int" and "NoneType"'
    moment = Moment(Place.AFTER_SETUP)

    def strike(self, scene: Scene, now_s: float) -> Answer:
        """Sends it."""
        return (Raw(encode({"somethingNew": {"text": "Hello"}})),)
