"""Close code 1008: Your project has been denied access."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class AccessDenied(Closing):
    """Closes with 1008 instead of answering the setup: the project is barred."""

    imitates = "the close reasons collected from user reports"
    moment = Moment(Place.SETUP)
    code: int = 1008
    reason: str = "Your project has been denied access. Please contact support."
