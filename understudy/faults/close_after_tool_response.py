"""Close code 1008: Requested entity was not found."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class CloseAfterToolResponse(Closing):
    """Closes with 1008 when the client answers a tool call; 1011 was seen too."""

    imitates = "google-gemini/deprecated-generative-ai-js#487"
    moment = Moment(Place.TOOL_RESPONSE)
    code: int = 1008
    reason: str = "Requested entity was not found."
