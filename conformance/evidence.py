"""What the understudy's own record says of a client: whether what it tells has happened. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

_TOOL = ("get_weather", {"city": "Paris"})
"""What every client asks to have called."""
_TOLERANCE_MS = 1
"""Both sides round to milliseconds."""


class Session:
    """A session as the understudy recorded it.

    Attributes:
        events: All of them, in order; see `understudy/README.md`.
    """

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []

    def has(self, event: str, **fields: object) -> bool:
        """Whether something has happened, with these fields."""
        return any(
            all(found.get(name) == value for name, value in fields.items())
            for found in self._of(event)
        )

    def sent(self, heard_ms: int | None, *, why: str | None = None) -> bool:
        """Whether an answer was as long as what was heard, and given for that reason."""
        given = None
        for event in self.events:
            if event["event"] == "answer":
                given = event["why"]
            elif event["event"] == "audio_out" and why in (None, given) and heard_ms is not None:
                if abs(event["ms"] - heard_ms) <= _TOLERANCE_MS:
                    return True
        return False

    def called(self, name: str, arguments: Mapping[str, object]) -> bool:
        """Whether this function and no other was called, once, and its result came back."""
        calls, responses = self._of("tool_call"), self._of("tool_response")
        returned = [id for response in responses for id in response["ids"]]
        return (
            [(call["name"], call["args"]) for call in calls] == [(name, arguments)]
            and returned == [calls[0]["id"]]
            and not any(response.get("unknown") for response in responses)
        )

    def _of(self, event: str) -> list[Mapping[str, Any]]:
        return [found for found in self.events if found["event"] == event]


def sessions(record: Iterable[str], client: str) -> list[Session]:
    """Picks a client's sessions.

    Args:
        record: The understudy's record, a JSON object a line.
        client: What the client calls itself on the wire.
    """
    found: dict[str, Session] = {}
    for line in record:
        event = json.loads(line)
        if event["event"] == "connected" and event["client"] == client:
            found[event["session"]] = Session()
        if event["session"] in found:
            found[event["session"]].events.append(event)
    return list(found.values())


def missing(capability: str, held: Sequence[Session], heard_ms: int | None) -> str:
    """Returns what must be in a client's sessions for a capability and is not, or "".

    Args:
        capability: One of `registry.CAPABILITIES`.
        held: The client's sessions.
        heard_ms: How long the answer was that the client heard.
    """
    what, is_there = _EXPECTED[capability]
    return "" if any(is_there(session, heard_ms) for session in held) else what


_Expected = tuple[str, Callable[[Session, int | None], bool]]
_EXPECTED: Mapping[str, _Expected] = {
    "connect": (
        "a session set up with the key",
        lambda session, _: (
            session.has("connected", constrained=False, credentials=["key"])
            and session.has("setup", resumed=False)
        ),
    ),
    "speak": ("speech", lambda session, _: session.has("activity_end")),
    "be answered": (
        "an answer to speech, as long as what was heard",
        lambda session, heard_ms: session.sent(heard_ms, why="speech"),
    ),
    "be interrupted": (
        "an answer cut short, then one to speech, as long as what was heard",
        lambda session, heard_ms: (
            session.has("interrupted", generated=False) and session.sent(heard_ms, why="speech")
        ),
    ),
    "call a tool": (
        "one call of get_weather for Paris, its result, and an answer as long as what was heard",
        lambda session, heard_ms: session.called(*_TOOL) and session.sent(heard_ms, why="tool"),
    ),
    "resume": (
        "a session resumed with a handle, and an answer from memory as long as what was heard",
        lambda session, heard_ms: (
            session.has("setup", resumed=True) and session.sent(heard_ms, why="recollection")
        ),
    ),
    "ephemeral token": (
        "a session at the endpoint for tokens, with a token and no key, and an answer as long as "
        "what was heard",
        lambda session, heard_ms: (
            session.has("connected", constrained=True, credentials=["token"])
            and session.sent(heard_ms)
        ),
    ),
}
