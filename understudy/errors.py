"""The one error a client can cause, so that every refusal has a close code and a sentence."""

from __future__ import annotations

INVALID_ARGUMENT = "Request contains an invalid argument."
"""The service's own words for a message that parses but makes no sense."""

INTERNAL_ERROR = "Internal error encountered."

QUOTA_EXCEEDED = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
RESOURCE_EXHAUSTED = "Resource has been exhausted (e.g. check quota)."
"""The same before the upgrade, as the text of an HTTP 429."""

MAX_REASON_BYTES = 123
"""RFC 6455 section 5.5: a control frame carries 125 bytes, two of which are the close code."""


class ProtocolError(Exception):
    """A client's message that ends the session.

    Attributes:
        code: WebSocket close code: 1007, 1008 or 1011.
        reason: Close reason as the real service words it, at most 123 bytes of UTF-8.
    """

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = truncate_reason(reason)
        super().__init__(f"{code} {self.reason}")


def invalid(reason: str = INVALID_ARGUMENT) -> ProtocolError:
    """Returns the refusal for a malformed or unsupported message (1007)."""
    return ProtocolError(1007, reason)


def refused(reason: str) -> ProtocolError:
    """Returns the refusal for something the service won't do for this caller (1008)."""
    return ProtocolError(1008, reason)


def truncate_reason(reason: str) -> str:
    """Cuts a close reason to what a close frame holds, as the real service visibly does.

    Args:
        reason: Any text, lone surrogates included.

    Returns:
        The longest prefix whose UTF-8 form has at most 123 bytes, never a split character.
    """
    encoded = reason.encode("utf-8", "replace")[:MAX_REASON_BYTES]
    return encoded.decode("utf-8", "ignore")
