"""HTTP 429 instead of the upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from understudy.errors import RESOURCE_EXHAUSTED
from understudy.faults.base import Refusal


@dataclass(kw_only=True)
class Refuse429(Refusal):
    """Every upgrade is answered with HTTP 429; a browser sees a bare 1006."""

    imitates = "quota refusals at the upgrade, reported from browsers as a bare 1006"
    status = HTTPStatus.TOO_MANY_REQUESTS
    body: str = RESOURCE_EXHAUSTED
