"""What a fault can ask of the shell beyond what a session asks: broken frames, broken links."""

from __future__ import annotations

from dataclasses import dataclass, field

from understudy.effects import Close, Effect, Send


def can_close_with(code: int) -> bool:
    """Whether a close frame may carry this code (RFC 6455 section 7.4, and the IANA registry)."""
    return 1000 <= code <= 1014 and code not in (1004, 1005, 1006) or 3000 <= code <= 4999


@dataclass(frozen=True, slots=True)
class Raw:
    """Send this WebSocket message as it is: `bytes` as binary, `str` as text."""

    data: bytes | str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the TCP connection (RST): no close frame, 1006 at the client."""


@dataclass(frozen=True, slots=True)
class BlackHole:
    """Neither read nor write any more, pings and close frames included; the socket stays open."""


@dataclass(frozen=True, slots=True)
class Pongs:
    """Answer pings this much later from now on; None: never."""

    delay_s: float | None


Act = Effect | Raw | Reset | BlackHole | Pongs
Outgoing = Send | Close | Raw | Reset | BlackHole | Pongs
"""What a client notices; the other effects are work and records."""


@dataclass(frozen=True, slots=True)
class Later:
    """Do this so many seconds later."""

    delay_s: float
    act: Outgoing
