"""HTTP 403 instead of the upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from understudy.faults.base import Refusal


@dataclass(kw_only=True)
class Refuse403(Refusal):
    """Every upgrade is answered with HTTP 403."""

    imitates = 'discuss.ai.google.dev: "Your project has been denied access" at the upgrade'
    status = HTTPStatus.FORBIDDEN
    body: str = "Your project has been denied access. Please contact support."
