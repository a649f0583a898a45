"""What is the address of a Daily room. Pure."""

import re
from urllib.parse import parse_qs, urlsplit

from serving.access.exposure import is_loopback

_ADDRESS = re.compile(r"(https?)://([a-z0-9.-]+)(:[0-9]{1,5})?/[A-Za-z0-9_-]{1,128}/?\Z")
EXAMPLE = "https://you.daily.co/salon"


def room_address(text: str) -> str:
    """The address of a room without what is not part of it.

    Args:
        text: As a person copies it, perhaps with `?t=` and a token for a room that is private.

    Raises:
        ValueError: It is none; the message is one sentence, without the token.
    """
    text = text.strip()
    match = _ADDRESS.match(text.partition("?")[0])
    if match and (match[1] == "https" or is_loopback(match[2])):
        query = f"?{urlsplit(text).query}" if room_token(text) else ""
        return f"{match[0].rstrip('/')}{query}"
    shown = text.partition("?")[0][:100]
    raise ValueError(f"{shown!r} is not the address of a Daily room; for example {EXAMPLE}.")


def room_token(url: str) -> str | None:
    """The token that came along with an address."""
    return parse_qs(urlsplit(url).query).get("t", [None])[0]


def room_name(url: str) -> str:
    """The name of the room behind its address."""
    return urlsplit(url).path.strip("/")
