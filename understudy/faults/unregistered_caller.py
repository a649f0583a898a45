"""Close code 1008: Method doesn't allow unregistered callers (callers without established identity)."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class UnregisteredCaller(Closing):
    """Closes with 1008 instead of answering the setup: a token at the plain endpoint."""

    imitates = "google-gemini/cookbook#821, googleapis/js-genai#600, #691"
    moment = Moment(Place.SETUP)
    code: int = 1008
    reason: str = (
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API."
    )
