"""Close code 1011: You exceeded your current quota, please check your plan and billing details."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.errors import QUOTA_EXCEEDED
from understudy.faults.base import Closing


@dataclass(kw_only=True)
class Quota(Closing):
    """Closes with 1011, the quota is used up: no use in trying again."""

    imitates = "sonichi/sutando#569"
    code: int = 1011
    reason: str = QUOTA_EXCEEDED
