"""Close code 1000: no reason."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class CleanClose(Closing):
    """Closes with 1000 and no reason in the middle of a conversation."""

    imitates = "google/adk-python#4587"
    moment = Moment(Place.SPEAKING)
    code: int = 1000
    reason: str = ""
