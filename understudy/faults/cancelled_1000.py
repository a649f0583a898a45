"""Close code 1000: The operation was cancelled."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class Cancelled1000(Closing):
    """Closes with 1000, the operation was cancelled, after ten minutes."""

    imitates = "google/adk-python#2161, pipecat-ai/pipecat#1674, #3112"
    moment = Moment(Place.CLOCK, after_s=600)
    code: int = 1000
    reason: str = "The operation was cancelled."
