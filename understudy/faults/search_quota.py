"""A tool that the quota does not cover."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.errors import QUOTA_EXCEEDED
from understudy.faults.base import Rejecting
from understudy.messages import ClientMessage, Setup
from understudy.moments import Scene


@dataclass(kw_only=True)
class SearchQuota(Rejecting):
    """Closes with 1011 instead of answering a setup with googleSearch, as on a free key."""

    imitates = "the close reasons collected from user reports: googleSearch on a free key"
    code: int = 1011
    reason: str = QUOTA_EXCEEDED

    def rejects(self, message: ClientMessage, scene: Scene, now_s: float) -> bool:
        """Whether it is such a setup."""
        return isinstance(message, Setup) and any(
            "googleSearch" in tool for tool in message.fields.get("tools", ())
        )
