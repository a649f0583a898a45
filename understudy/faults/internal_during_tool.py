"""Close code 1011: Internal error occurred."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class InternalDuringTool(Closing):
    """Closes with 1011 while a tool runs."""

    imitates = "google/adk-python#3918"
    moment = Moment(Place.TOOL)
    code: int = 1011
    reason: str = "Internal error occurred."
