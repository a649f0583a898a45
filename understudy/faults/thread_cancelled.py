"""Close code 1011: Thread was cancelled when writing StartStep status to channel."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class ThreadCancelled(Closing):
    """Closes with 1011 and words about a cancelled thread."""

    imitates = "google/adk-python#3692"
    moment = Moment(Place.SPEAKING)
    code: int = 1011
    reason: str = (
        "Thread was cancelled when writing StartStep status to channel.; Failed to close the "
        "streaming context; status = CANCELLED: "
    )
