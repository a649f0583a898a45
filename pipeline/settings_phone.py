"""What can be set of Daily rooms and of the telephone."""

import base64
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr
from pydantic_settings import BaseSettings

from pipeline.variables import pairs, parts, variable

E164 = r"\+[1-9][0-9]{6,14}"
"""A telephone number as ITU-T E.164 has it."""
_ADDRESS = r"^https?://[^\s/?#]+$"
_TARGET = rf"({E164}|sips?:[^\s@<>\"]+@[^\s<>\"]+)"


def _base64(value: SecretStr) -> SecretStr:
    if len(base64.b64decode(value.get_secret_value(), validate=True)) < 16:
        raise ValueError("too short")
    return value


def _ed25519_key(value: str) -> str:
    if len(base64.b64decode(value, validate=True)) != 32:
        raise ValueError("no key")
    return value


def _numbers_and_personas(value: str) -> str:
    for number, persona in pairs(value):
        if not re.fullmatch(E164, number) or not re.fullmatch(r"[a-z0-9-]+", persona):
            raise ValueError("no number and persona")
    return value


def _names_and_targets(value: str) -> str:
    for name, target in pairs(value):
        if not re.fullmatch(r"[a-z0-9-]{1,40}", name) or not re.fullmatch(_TARGET, target):
            raise ValueError("no name and target")
    return value


def _all_prefixes(value: str) -> str:
    for prefix in parts(value):
        if not re.fullmatch(r"\+[1-9][0-9]{0,14}", prefix):
            raise ValueError("no prefix")
    return value


class PhoneSettings(BaseSettings):
    """The part of `Settings` for Daily rooms and the telephone."""

    daily_api_key: SecretStr | None = variable(
        "DAILY_API_KEY", None, "a Daily API key", "0123abcd..."
    )
    daily_api_url: str = variable(
        "DAILY_API_URL",
        "https://api.daily.co/v1",
        "the http(s):// address of Daily's REST API",
        "https://api.daily.co/v1",
        pattern=r"^https?://[^/\s]+",
    )
    daily_room_url: str | None = variable(
        "DAILY_ROOM_URL",
        None,
        "the https:// address of a Daily room",
        "https://you.daily.co/salon",
        pattern=r"^https://[^/\s]+",
    )
    daily_pinless_hmac_secret: Annotated[SecretStr, AfterValidator(_base64)] | None = variable(
        "DAILY_PINLESS_HMAC_SECRET",
        None,
        "the base64 text that Daily gave as `hmac` for the number",
        "c2FsdCBhbmQgcGVwcGVyIHBsZWFzZQ==",
    )
    daily_webhook_hmac_secret: Annotated[SecretStr, AfterValidator(_base64)] | None = variable(
        "DAILY_WEBHOOK_HMAC_SECRET",
        None,
        "the base64 text that Daily gave as `hmac` for the webhook",
        "c2FsdCBhbmQgcGVwcGVyIHBsZWFzZQ==",
    )
    twilio_account_sid: str | None = variable(
        "TWILIO_ACCOUNT_SID", None, "the SID of a Twilio account", "AC0123abcd..."
    )
    twilio_auth_token: SecretStr | None = variable(
        "TWILIO_AUTH_TOKEN", None, "the auth token of the Twilio account", "0123abcd..."
    )
    twilio_api_key: str | None = variable(
        "TWILIO_API_KEY", None, "the SID of a Twilio API key", "SK0123abcd..."
    )
    twilio_api_secret: SecretStr | None = variable(
        "TWILIO_API_SECRET", None, "the secret of the Twilio API key", "0123abcd..."
    )
    room_grace_s: float = variable(
        "SALON_ROOM_GRACE_S", 10.0, "a number of seconds from 0 to 600", "10", ge=0, le=600
    )
    public_url: str | None = variable(
        "SALON_PUBLIC_URL",
        None,
        "the https:// address under which telephone services reach this server",
        "https://salon.example.com",
        pattern=_ADDRESS,
    )
    twilio_api_url: str = variable(
        "TWILIO_API_URL",
        "https://api.twilio.com",
        "the http(s):// address of Twilio's REST API",
        "https://api.dublin.ie1.twilio.com",
        pattern=_ADDRESS,
    )
    telnyx_api_url: str = variable(
        "TELNYX_API_URL",
        "https://api.telnyx.com",
        "the http(s):// address of Telnyx' REST API",
        "https://api.telnyx.com",
        pattern=_ADDRESS,
    )
    plivo_api_url: str = variable(
        "PLIVO_API_URL",
        "https://api.plivo.com",
        "the http(s):// address of Plivo's REST API",
        "https://api.plivo.com",
        pattern=_ADDRESS,
    )
    telnyx_api_key: SecretStr | None = variable(
        "TELNYX_API_KEY", None, "a Telnyx API key", "KEY0123..."
    )
    telnyx_public_key: Annotated[str, AfterValidator(_ed25519_key)] | None = variable(
        "TELNYX_PUBLIC_KEY", None, "the public key of the Telnyx account, base64", "e0NTY..."
    )
    plivo_auth_id: str | None = variable("PLIVO_AUTH_ID", None, "a Plivo auth ID", "MA0123...")
    plivo_auth_token: SecretStr | None = variable(
        "PLIVO_AUTH_TOKEN", None, "the auth token of the Plivo account", "0123abcd..."
    )
    phone_personas: Annotated[str, AfterValidator(_numbers_and_personas)] | None = variable(
        "SALON_PHONE_PERSONAS",
        None,
        "called numbers with the persona that answers, with commas between them",
        "+15551230001=companion,+15551230002=art-critic",
    )
    phone_silence_s: float = variable(
        "SALON_PHONE_SILENCE_S", 12.0, "a number of seconds from 3 to 600", "12", ge=3, le=600
    )
    max_call_s: float = variable(
        "SALON_MAX_CALL_S", 1800.0, "a number of seconds from 10 to 86400", "1800", ge=10, le=86_400
    )
    max_calls_per_number: int = variable(
        "SALON_MAX_CALLS_PER_NUMBER", 2, "a number from 1 to 1000", "2", ge=1, le=1000
    )
    busy_lines: int = variable("SALON_BUSY_LINES", 10, "a number from 0 to 100", "10", ge=0, le=100)
    transfer_to: Annotated[str, AfterValidator(_names_and_targets)] | None = variable(
        "SALON_TRANSFER_TO",
        None,
        "names with the telephone number or SIP address of each, with commas between them",
        "front-desk=+15551234567,support=sip:help@example.com",
    )
    dial_out_to: Annotated[str, AfterValidator(_all_prefixes)] | None = variable(
        "SALON_DIAL_OUT_TO",
        None,
        "how numbers that may be called begin, with commas between them",
        "+1555,+49",
    )

    @property
    def daily_is_stand_in(self) -> bool:
        """Whether Daily is a stand-in on this machine, whose rooms no browser can enter."""
        return urlsplit(self.daily_api_url).hostname in ("127.0.0.1", "localhost", "::1")

    @property
    def persona_by_number(self) -> dict[str, str]:
        """Who answers at which called number, of `SALON_PHONE_PERSONAS`."""
        return dict(pairs(self.phone_personas))

    @property
    def transfer_targets(self) -> dict[str, str]:
        """Where calls may be transferred to, by name, of `SALON_TRANSFER_TO`."""
        return dict(pairs(self.transfer_to))

    def may_call(self, number: str) -> bool:
        """Whether `SALON_DIAL_OUT_TO` lets a number be called."""
        return any(number.startswith(prefix) for prefix in parts(self.dial_out_to))
