"""The end announced, and another than usual."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.errors import INTERNAL_ERROR
from understudy.faults.base import GoingAway


@dataclass(kw_only=True)
class GoAwayCloseCode(GoingAway):
    """Sends goAway and then closes with 1011 instead of 1008."""

    imitates = "kizuna-ai-lab/sokuji#179"
    code: int = 1011
    reason: str = INTERNAL_ERROR
