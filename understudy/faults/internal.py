"""Close code 1011: Internal error encountered."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class Internal(Closing):
    """Closes with 1011, an internal error."""

    imitates = "googleapis/python-genai#985, livekit/agents#2274"
    moment = Moment(Place.SPEAKING)
    code: int = 1011
    reason: str = "Internal error encountered."
