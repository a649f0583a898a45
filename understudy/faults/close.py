"""Any close code and reason."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing


@dataclass(kw_only=True)
class CloseWith(Closing):
    """Closes with the code and reason given."""

    imitates = "any close a client has to survive"
    code: int = 1011
    reason: str = "Internal error encountered."
