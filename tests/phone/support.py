"""A caller on the telephone for whole sessions without a network."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from pipeline.phone.call import PhoneCall, Provider
from pipeline.phone.line import LineError
from tests.support.conversation import Talk

CALLER, CALLED = "+15559999", "+15550001"


def a_call(provider: Provider = Provider.TWILIO, **more: Any) -> PhoneCall:
    return PhoneCall(provider=provider, call_id="c1", caller=CALLER, called=CALLED, **more)


@dataclass
class LineOfTest:
    """A line on which what is asked for is noted, or refused."""

    refuses: str | None = None
    takes_s: float = 0.0
    transferred_to: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)

    async def transfer(self, target: str) -> None:
        if self.refuses:
            raise LineError(self.refuses)
        self.transferred_to.append(target)

    async def send_digits(self, digits: str) -> None:
        await asyncio.sleep(self.takes_s)
        if self.refuses:
            raise LineError(self.refuses)
        self.pressed.append(digits)


def noted(conversation: Talk, event: str) -> list[dict[str, Any]]:
    """What the log has of one event, without what all its lines have."""
    lines = [line for line in conversation.log if line.get("event") == event]
    return [
        {k: v for k, v in line.items() if k not in ("session", "event", "at")} for line in lines
    ]


def end_of(conversation: Talk) -> tuple[str, str]:
    """Why the session has ended, as the log has it."""
    (end,) = noted(conversation, "end")
    return end["reason"], end["text"]
