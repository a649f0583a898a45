"""Close code 1011: The service is currently unavailable."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class Unavailable(Closing):
    """Closes with 1011, the service is unavailable, in the middle of a session."""

    imitates = "googleapis/python-genai#760"
    moment = Moment(Place.SPEAKING)
    code: int = 1011
    reason: str = "The service is currently unavailable."
