"""Close code 1011: Deadline expired before operation could complete."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class Deadline(Closing):
    """Closes with 1011 when a connection has lasted 58 minutes; combine with resume-fails-after-1011."""

    imitates = "discuss.ai.google.dev/186392"
    moment = Moment(Place.CLOCK, after_s=3480)
    code: int = 1011
    reason: str = "Deadline expired before operation could complete."
