"""Close code 1008: The operation was aborted."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class Aborted(Closing):
    """Closes with 1008, the operation was aborted, as after a goAway."""

    imitates = "autonomous-os#238, interpretab"
    moment = Moment(Place.SPEAKING)
    code: int = 1008
    reason: str = "The operation was aborted."
