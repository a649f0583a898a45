"""The end announced."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import GoingAway


@dataclass(kw_only=True)
class GoAway(GoingAway):
    """Sends goAway after nine minutes and closes when its time is over."""

    imitates = "interpretab, autonomous-os#238: 1008 50.4 s after the goAway"
    code: int = 1008
    reason: str = "The operation was aborted."
