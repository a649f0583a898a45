"""What Daily posts to whoever answers a number, and how it signs it. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac

TRIAL = b'{"test":"test"}'
"""What Daily posts, unsigned, before it takes an address."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Returns the signature: base64 of HMAC-SHA256 over `timestamp.body`.

    Args:
        secret: base64, as Daily gives it as `hmac`.
        timestamp: As sent.
        body: As sent.
    """
    signed = timestamp.encode() + b"." + body
    digest = hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def headers(secret: str, now_s: float, body: bytes) -> dict[str, str]:
    """The headers of a call's announcement.

    Args:
        secret: base64.
        now_s: Unix time; sent in milliseconds, as the real ones are.
        body: What is posted.
    """
    timestamp = str(int(now_s * 1000))
    return {
        "Content-Type": "application/json",
        "X-Pinless-Timestamp": timestamp,
        "X-Pinless-Signature": sign(secret, timestamp, body),
    }
