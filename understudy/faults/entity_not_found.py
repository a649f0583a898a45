"""Close code 1008: Requested entity was not found."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class EntityNotFound(Closing):
    """Closes with 1008, an entity was not found."""

    imitates = "google-gemini/deprecated-generative-ai-js#487, discuss.ai.google.dev/109319"
    moment = Moment(Place.SPEAKING)
    code: int = 1008
    reason: str = "Requested entity was not found."
