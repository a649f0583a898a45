"""Who calls whom by telephone. Pure.

Numbers and SIP headers come from whoever calls and can be anything: they are bounded and cleaned
here, before anything else sees them, and are data ever after: never a file's name, a line of a log,
or an instruction.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

IN_BODY = "phone_call"
"""Where the call is in the `body` of a session's arguments: an object, which no JSON can hold."""
MAX_HEADERS = 20
MAX_HEADER_CHARACTERS = 200
MAX_NUMBER_CHARACTERS = 64
UNKNOWN = "unknown"
"""What a caller is called whose number is withheld or is none."""


class Provider(StrEnum):
    """Over whom a call comes in or goes out."""

    DAILY = "daily"
    """A number of Daily's: the call waits until it is forwarded to the room's SIP address."""
    SIP = "sip"
    """Somebody else's number, forwarded to the room's SIP address by themselves."""
    DIAL_OUT = "dial-out"
    """The room calls."""
    TWILIO = "twilio"
    TELNYX = "telnyx"
    PLIVO = "plivo"


@dataclass(frozen=True, kw_only=True)
class PhoneCall:
    """One call.

    Parameters:
        provider: Over whom it comes.
        call_id: What the provider knows it by.
        call_domain: Daily's name for the domain of a number.
        caller: Their number or SIP address, cleaned; `UNKNOWN` when withheld.
        called: The number or SIP address that was called, likewise.
        sip_headers: Names and values that came along, cleaned. Data, never instructions.
    """

    provider: Provider
    call_id: str
    call_domain: str = ""
    caller: str = UNKNOWN
    called: str = UNKNOWN
    sip_headers: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `PhoneCall.of` reads it back."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "PhoneCall":
        """Read what `as_dict` wrote."""
        return cls(**{**told, "provider": Provider(told["provider"])})


def clean_number(number: object) -> str:
    """A telephone number or SIP address without what can't be in one; `UNKNOWN` when nothing is left.

    `+1 (555) 123-4567` becomes `+15551234567`; a SIP address keeps user and host.
    """
    text = str(number)[:MAX_NUMBER_CHARACTERS] if isinstance(number, str) else ""
    if re.fullmatch(r"\+?[0-9 ().-]{3,30}", text.strip()):
        digits = re.sub(r"[^0-9+]", "", text)
        return digits if re.fullmatch(r"\+?[0-9]{2,20}", digits) else UNKNOWN
    address = re.sub(r"^sips?:", "", text.strip(), flags=re.IGNORECASE)
    return address if re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.:-]+", address) else UNKNOWN


def clean_headers(headers: object) -> dict[str, str]:
    """SIP headers, as many and as long as may be, without what is not for reading."""
    if not isinstance(headers, Mapping):
        return {}
    cleaned: dict[str, str] = {}
    for name, value in headers.items():
        is_usable = isinstance(name, str) and isinstance(value, str | int | float)
        if is_usable and re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
            text = "".join(c if c.isprintable() else " " for c in str(value))
            cleaned[name] = text.strip()[:MAX_HEADER_CHARACTERS]
        if len(cleaned) == MAX_HEADERS:
            break
    return cleaned
