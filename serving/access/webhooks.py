"""Whether a webhook is from Daily: its signature, its time, and that it is not a repetition. Pure.

Daily signs `timestamp + "." + body` with HMAC-SHA256 and a secret that it gives as base64, and
sends the result as base64: for a call to a number in `X-Pinless-Signature` and
`X-Pinless-Timestamp`, for all other webhooks in `X-Webhook-Signature` and `X-Webhook-Timestamp`.
The timestamp is Unix time, in seconds in its documentation and in milliseconds on the line.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections import OrderedDict
from dataclasses import dataclass

from pydantic import SecretStr

from serving.access.origins import Headers, header
from serving.refused import Refused

WINDOW_S = 300.0
"""How far a timestamp may be from this clock, to either side."""
MAX_REMEMBERED = 10_000
"""How many webhooks are remembered; more than this in `WINDOW_S` are refused."""
_MILLISECONDS_FROM = 10**11
"""As seconds it would be the year 5138."""


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """The headers of a kind of webhook."""

    signature: bytes
    timestamp: bytes


PINLESS = Scheme(signature=b"x-pinless-signature", timestamp=b"x-pinless-timestamp")
WEBHOOK = Scheme(signature=b"x-webhook-signature", timestamp=b"x-webhook-timestamp")


class Webhooks:
    """Verifies one kind of webhook.

    Parameters:
        scheme: Its headers.
        secret: What Daily gave as `hmac`, base64; without one nothing counts.
    """

    def __init__(self, scheme: Scheme, secret: SecretStr | None):
        self._scheme = scheme
        self._secret = base64.b64decode(secret.get_secret_value()) if secret else None
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def check(self, headers: Headers, body: bytes, now_s: float) -> bytes:
        """Take a webhook.

        Args:
            headers: Of the request.
            body: Exactly as it came.
            now_s: The wall clock, Unix time in seconds.

        Returns:
            What it is remembered by: for `forget`.

        Raises:
            Refused: 401 when it does not count, 409 when it came before, 503 when too many
                came or there is no secret to verify it with.
        """
        if self._secret is None:
            raise Refused(503, "This server has no secret to verify webhooks with.")
        timestamp = header(headers, self._scheme.timestamp) or ""
        signature = self._verified(timestamp, header(headers, self._scheme.signature), body)
        if abs(_seconds(timestamp) - now_s) > WINDOW_S:
            raise Refused(401, "The webhook's timestamp is not of now.")
        self._forget_old(now_s)
        if signature in self._seen:
            raise Refused(409, "This webhook came before.")
        if len(self._seen) >= MAX_REMEMBERED:
            raise Refused(503, "Too many webhooks.", {"Retry-After": "60"})
        self._seen[signature] = now_s
        return signature

    def forget(self, signature: bytes) -> None:
        """Let a webhook come again, because nothing could be done about it this time."""
        self._seen.pop(signature, None)

    def _verified(self, timestamp: str, signature: str | None, body: bytes) -> bytes:
        assert self._secret is not None
        signed = timestamp.encode("latin-1") + b"." + body
        expected = hmac.new(self._secret, signed, hashlib.sha256).digest()
        try:
            given = base64.b64decode((signature or "").encode("latin-1"), validate=True)
        except binascii.Error:
            given = b""
        if not hmac.compare_digest(expected, given) or not re.fullmatch(r"[0-9]{1,15}", timestamp):
            raise Refused(401, "The webhook's signature is not Daily's.")
        return expected

    def _forget_old(self, now_s: float) -> None:
        # A timestamp may be ahead of this clock by a window, and is good until one behind it.
        while self._seen and abs(now_s - next(iter(self._seen.values()))) > 2 * WINDOW_S:
            self._seen.popitem(last=False)


def is_trial(body: bytes) -> bool:
    """Whether this is what Daily sends, unsigned, before it accepts a webhook's address.

    Nothing is to be done about it but to answer 200.
    """
    try:
        return json.loads(body) in ({"Test": "test"}, {"test": "test"})
    except (ValueError, RecursionError):
        return False


def _seconds(timestamp: str) -> float:
    number = int(timestamp)
    return number / 1000 if number >= _MILLISECONDS_FROM else float(number)
