"""Close code 1008: The operation was aborted."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class ProxyCap(Closing):
    """Closes with 1008 at exactly 150 s, as through a proxy with a limit."""

    imitates = "autonomous-os#238"
    moment = Moment(Place.CLOCK, after_s=150)
    code: int = 1008
    reason: str = "The operation was aborted"
