"""Close code 1008: Operation is not implemented, or supported, or enabled."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class NotImplemented(Closing):
    """Closes with 1008, the operation is not implemented."""

    imitates = "googleapis/js-genai#1236, discuss.ai.google.dev/114644"
    moment = Moment(Place.SPEAKING)
    code: int = 1008
    reason: str = "Operation is not implemented, or supported, or enabled."
