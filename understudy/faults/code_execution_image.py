"""Close code 1008: application/json isn't a supported MIME type."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class CodeExecutionImage(Closing):
    """Closes with 1008 after a part of a type it does not take, at a tool call."""

    imitates = "googleapis/python-genai#182"
    moment = Moment(Place.TOOL)
    code: int = 1008
    reason: str = "application/json isn't a supported MIME type."
