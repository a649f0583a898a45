"""Whether a webhook is from Twilio, Telnyx or Plivo, by what it is signed with. Pure.

Twilio signs its URL and its form's fields with HMAC-SHA1 (`X-Twilio-Signature`), Plivo these and a
nonce with HMAC-SHA256 (`X-Plivo-Signature-V3`), both with the account's auth token and neither with
a time: what is sent again is known by its call. Telnyx signs time and body with Ed25519.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import SecretStr

from serving.access.origins import Headers, header
from serving.refused import Refused

WINDOW_S = 300.0
"""How far Telnyx's timestamp may be from this clock, to either side."""
MAX_FIELDS = 200
_PORTS = {"http": 80, "https": 443}

Fields = Sequence[tuple[str, str]]
"""What a form holds, in its order."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A request that says that somebody calls.

    Parameters:
        url: The address that was asked for, as whoever signed it has it.
        headers: Of the request.
        body: Exactly as it came.
    """

    url: str
    headers: Headers
    body: bytes

    def fields(self) -> Fields:
        """What its form holds.

        Raises:
            Refused: 400 when it holds none.
        """
        try:
            text = self.body.decode("ascii")
            return parse_qsl(
                text,
                keep_blank_values=True,
                strict_parsing=True,
                errors="strict",
                max_num_fields=MAX_FIELDS,
            )
        except ValueError:
            raise Refused(
                400, "A call is announced by a form (application/x-www-form-urlencoded)."
            ) from None


def check_twilio(webhook: Webhook, auth_token: SecretStr | None) -> None:
    """See whether Twilio sent a webhook.

    Raises:
        Refused: 400 when it is no form, 403 when Twilio did not, 503 when there is no auth token.
    """
    secret = _secret(auth_token, "TWILIO_AUTH_TOKEN")
    given = header(webhook.headers, b"x-twilio-signature") or ""
    fields = "".join(name + value for name, value in sorted(set(webhook.fields())))
    expected = [_hmac(secret, url + fields, hashlib.sha1) for url in _spellings(webhook.url)]
    _count(given, expected, "Twilio")


def check_plivo(webhook: Webhook, auth_token: SecretStr | None) -> None:
    """See whether Plivo sent a webhook.

    Raises:
        Refused: 400 when it is no form, 403 when Plivo did not, 503 when there is no auth token.
    """
    secret = _secret(auth_token, "PLIVO_AUTH_TOKEN")
    given = header(webhook.headers, b"x-plivo-signature-v3") or ""
    nonce = header(webhook.headers, b"x-plivo-signature-v3-nonce") or ""
    base, _, query = webhook.url.partition("?")
    asked = parse_qs(query, keep_blank_values=True)
    query = "&".join(f"{name}={value}" for name in sorted(asked) for value in sorted(asked[name]))
    fields = "".join(name + value for name, value in sorted(webhook.fields()))
    signed = f"{base}?{query}{'.' if query else ''}{fields}.{nonce}"
    # One for each auth token that counts, while a new one replaces the old one.
    for one in given.split(",")[:4]:
        if _is(one, _hmac(secret, signed, hashlib.sha256)) and nonce:
            return
    raise _forged("Plivo")


def check_telnyx(webhook: Webhook, public_key: str | None, now_s: float) -> None:
    """See whether Telnyx sent a webhook, and now.

    Args:
        webhook: The webhook.
        public_key: Of the Telnyx account, base64.
        now_s: The wall clock, Unix time in seconds.

    Raises:
        Refused: 403 when Telnyx did not, or not now; 503 when there is no key.
    """
    if public_key is None:
        raise _missing("TELNYX_PUBLIC_KEY")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
    timestamp = header(webhook.headers, b"telnyx-timestamp") or ""
    given = header(webhook.headers, b"telnyx-signature-ed25519") or ""
    try:
        signature = base64.b64decode(given.encode("latin-1"), validate=True)
        key.verify(signature, timestamp.encode("latin-1") + b"|" + webhook.body)
    except (binascii.Error, InvalidSignature):
        raise _forged("Telnyx") from None
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(int(timestamp) - now_s) > WINDOW_S:
        raise Refused(403, "The webhook's timestamp is not of now.")


def _secret(secret: SecretStr | None, variable: str) -> bytes:
    if secret is None:
        raise _missing(variable)
    return secret.get_secret_value().encode()


def _missing(variable: str) -> Refused:
    return Refused(503, f"This server has no {variable} to verify calls with.")


def _spellings(url: str) -> list[str]:
    """A URL as it is, without its port, and with the one that it has by default.

    Twilio's documentation promises none of them; its own libraries try them too.
    """
    parts = urlsplit(url)
    rest = url.partition("://")[2][len(parts.netloc) :]
    name = re.sub(r":[0-9]*$", "", parts.netloc)
    with_port = (
        parts.netloc if ":" in parts.netloc[len(name) :] else f"{name}:{_port(parts.scheme)}"
    )
    return [url, f"{parts.scheme}://{name}{rest}", f"{parts.scheme}://{with_port}{rest}"]


def _port(scheme: str) -> int:
    return _PORTS.get(scheme, 443)


def _hmac(secret: bytes, text: str, digest) -> str:
    return base64.b64encode(hmac.new(secret, text.encode(), digest).digest()).decode()


def _count(given: str, expected: list[str], whose: str) -> None:
    # All are compared, so that how long it takes tells nothing.
    if not any([_is(given, one) for one in expected]):
        raise _forged(whose)


def _is(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("latin-1"), expected.encode())


def _forged(whose: str) -> Refused:
    return Refused(403, f"The webhook's signature is not {whose}'s.")
