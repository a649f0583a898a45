"""A resumption that remembers nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.acts import Later, Outgoing
from understudy.faults.base import (
    Fault,
    handle_of,
)
from understudy.messages import (
    ClientMessage,
    Setup,
)
from understudy.moments import Moment, Place, Scene


@dataclass(kw_only=True)
class ResumeForgets(Fault):
    """Takes a resumption handle, any, and begins anew without a word."""

    imitates = "google-gemini/cookbook#1197: instructions of over 200 tokens"
    moment = Moment(Place.RESUME)

    def hear(
        self, message: ClientMessage, scene: Scene, now_s: float
    ) -> Iterable[ClientMessage | Outgoing | Later]:
        """Takes the handle out of the setup."""
        if isinstance(message, Setup) and handle_of(message):
            fields = {**message.fields, "sessionResumption": {}}
            return (Setup(fields),)
        return (message,)
