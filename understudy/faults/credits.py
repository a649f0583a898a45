"""Close code 1011: Your prepayment credits are depleted."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.faults.base import Closing


@dataclass(kw_only=True)
class Credits(Closing):
    """Closes with 1011, the credits are used up: no use in trying again."""

    imitates = "sohzm/cheating-daddy#458"
    code: int = 1011
    reason: str = (
        "Your prepayment credits are depleted. Please go to AI Studio at "
        "https://ai.studio/projects to manage your project and billing."
    )
