"""Close code 1007: Request contains an invalid argument."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class ContextExhausted(Closing):
    """Closes with 1007, as when the context is exhausted; 1000 was seen too."""

    imitates = "livekit-plugins-google 1.8.9, which reads 1007 so"
    moment = Moment(Place.TURN_COMPLETE)
    code: int = 1007
    reason: str = "Request contains an invalid argument."
