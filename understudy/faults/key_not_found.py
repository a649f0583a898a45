"""Close code 1007: API Key not found."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class KeyNotFound(Closing):
    """Closes with 1007 instead of answering the setup: there is no such key any more."""

    imitates = "the close reasons collected from user reports"
    moment = Moment(Place.SETUP)
    code: int = 1007
    reason: str = "API Key not found. Please pass a valid API key."
