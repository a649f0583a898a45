"""Close code 1007: API key expired."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class KeyExpired(Closing):
    """Closes with 1007 instead of answering the setup: the key has expired."""

    imitates = "google-gemini/cookbook#821"
    moment = Moment(Place.SETUP)
    code: int = 1007
    reason: str = "API key expired. Please renew the API key."
