"""A poisoned handle."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import (
    Closing,
)
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class ResumeRefused(Closing):
    """Refuses every resumption handle with 1007; 1008 was seen too."""

    imitates = "discuss.ai.google.dev/186392"
    moment = Moment(Place.RESUME)
    code: int = 1007
    reason: str = "Invalid session handle"
