"""Close code 1008: BidiGenerateContent session not found."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class SessionNotFound(Closing):
    """Refuses every resumption handle with 1008, as too old."""

    imitates = "the close reasons collected from user reports"
    moment = Moment(Place.RESUME)
    code: int = 1008
    reason: str = "BidiGenerateContent session not found"
