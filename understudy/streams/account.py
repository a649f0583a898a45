"""An account with one of the services: its credentials, and how it signs with them."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SERVICES = ("twilio", "telnyx", "plivo")


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody's account.

    Parameters:
        service: `twilio`, `telnyx` or `plivo`.
        name: What the service calls the account.
        token: The auth token, or the API key.
        seed: Of the key that Telnyx signs with, 32 bytes.
    """

    service: str
    name: str = "AC0123456789abcdef0123456789abcdef"
    token: str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    seed: bytes = bytes(range(32))

    def variables(self, api_url: str) -> dict[str, str]:
        """What a server that has this account has in its environment."""
        match self.service:
            case "twilio":
                own = {"TWILIO_ACCOUNT_SID": self.name, "TWILIO_AUTH_TOKEN": self.token}
            case "telnyx":
                public = self._key.public_key().public_bytes_raw()
                own = {
                    "TELNYX_API_KEY": self.token,
                    "TELNYX_PUBLIC_KEY": base64.b64encode(public).decode(),
                }
            case _:
                own = {"PLIVO_AUTH_ID": self.name, "PLIVO_AUTH_TOKEN": self.token}
        return {f"{self.service.upper()}_API_URL": api_url, **own}

    def sign(self, url: str, form: Mapping[str, str], body: bytes) -> dict[str, str]:
        """The headers that say that a POST is from the service."""
        fields = "".join(name + form[name] for name in sorted(form))
        match self.service:
            case "twilio":
                return {"X-Twilio-Signature": self._hmac("sha1", url + fields)}
            case "telnyx":
                timestamp = str(int(time.time()))
                signature = self._key.sign(f"{timestamp}|".encode() + body)
                return {
                    "Telnyx-Timestamp": timestamp,
                    "Telnyx-Signature-Ed25519": base64.b64encode(signature).decode(),
                }
            case _:
                nonce = secrets.token_hex(10)
                start, _, query = url.partition("?")
                asked = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(query)))
                signed = f"{start}?{asked}{'.' if asked else ''}{fields}.{nonce}"
                return {
                    "X-Plivo-Signature-V3-Nonce": nonce,
                    "X-Plivo-Signature-V3": self._hmac("sha256", signed),
                }

    @property
    def authorization(self) -> str:
        """What the header of this name must be in a request to the REST API."""
        if self.service == "telnyx":
            return f"Bearer {self.token}"
        return "Basic " + base64.b64encode(f"{self.name}:{self.token}".encode()).decode()

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def _hmac(self, digest: str, text: str) -> str:
        mac = hmac.new(self.token.encode(), text.encode(), getattr(hashlib, digest))
        return base64.b64encode(mac.digest()).decode()
