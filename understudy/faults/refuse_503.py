"""HTTP 503 instead of the upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from understudy.faults.base import Refusal


@dataclass(kw_only=True)
class Refuse503(Refusal):
    """Every upgrade is answered with HTTP 503."""

    imitates = "googleapis/python-genai#760"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    body: str = "The service is currently unavailable."
