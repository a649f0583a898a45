"""Calls as Twilio, Telnyx and Plivo announce them. Pure."""

import re

from pipeline.phone.call import PhoneCall, Provider, clean_headers, clean_number
from serving.phone.signatures import Fields
from serving.refused import Refused

_OVER = ("completed", "busy", "failed", "no-answer", "canceled", "timeout", "cancel")
_ID = {Provider.PLIVO: "CallUUID"}
_SIP_HEADER = re.compile(r"(?:SipHeader_|X-PH-)(.+)")


def is_over(fields: Fields) -> bool:
    """Whether this announces no call, but the end of one, which Plivo does at the same address."""
    return dict(fields).get("CallStatus", "").lower() in _OVER


def read_call(provider: Provider, fields: Fields) -> PhoneCall:
    """The call that a form announces.

    Raises:
        Refused: 400 when it announces none.
    """
    told = dict(fields)
    name = _ID.get(provider, "CallSid")
    call_id = told.get(name, "")
    if not re.fullmatch(r"[A-Za-z0-9:_.=-]{1,200}", call_id):
        raise Refused(400, f"{name} must be the call's identifier.")
    named = {found[1]: told[key] for key in told if (found := _SIP_HEADER.fullmatch(key))}
    return PhoneCall(
        provider=provider,
        call_id=call_id,
        caller=clean_number(_e164(told.get("From", ""))),
        called=clean_number(_e164(told.get("To", ""))),
        sip_headers=clean_headers(named),
    )


def _e164(number: str) -> str:
    """Plivo writes numbers without their plus."""
    return f"+{number}" if re.fullmatch(r"[1-9][0-9]{6,14}", number) else number
