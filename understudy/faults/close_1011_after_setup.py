"""Close code 1011: Internal error encountered."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing


@dataclass(kw_only=True)
class Close1011AfterSetup(Closing):
    """The session closes with 1011 right after setupComplete."""

    imitates = "googleapis/python-genai#985"
    code: int = 1011
    reason: str = "Internal error encountered."
