"""Close code 1008: Generative Language API has not been used in project 123456789 before or it is disabled."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing
from understudy.moments import Moment, Place


@dataclass(kw_only=True)
class ApiDisabled(Closing):
    """Closes with 1008 instead of answering the setup: the API is not enabled."""

    imitates = "the close reasons collected from user reports"
    moment = Moment(Place.SETUP)
    code: int = 1008
    reason: str = (
        "Generative Language API has not been used in project 123456789 before or it is disabled."
    )
