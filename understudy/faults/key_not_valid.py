"""Close code 1007: API key not valid."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class KeyNotValid(Closing):
    """Closes with 1007 instead of answering the setup: the key is no good."""

    imitates = "google-gemini/cookbook#821, googleapis/js-genai#600"
    moment = Moment(Place.SETUP)
    code: int = 1007
    reason: str = "API key not valid. Please pass a valid API key."
