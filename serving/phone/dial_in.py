"""What Daily tells when somebody calls one of its numbers. Pure."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from pipeline.phone.call import PhoneCall, Provider, clean_headers, clean_number
from serving.refused import Refused

_Number = Annotated[str, StringConstraints(max_length=256)]
_Name = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,256}$")]
EXAMPLE = '{"From": "+15550101", "To": "+15550100", "callId": "...", "callDomain": "..."}'


class _Told(BaseModel):
    """The body of the webhook; names as Daily has them."""

    model_config = ConfigDict(strict=True, extra="ignore")

    From: _Number
    To: _Number
    callId: _Name
    callDomain: _Name
    sipHeaders: Any = None


def read_dial_in(body: bytes) -> PhoneCall:
    """The call that a webhook tells of, cleaned.

    Raises:
        Refused: 400 when it tells of none.
    """
    try:
        told = _Told.model_validate(json.loads(body))
    except (ValidationError, ValueError, RecursionError):
        raise Refused(400, f"The body must be JSON that tells of a call, as {EXAMPLE}.") from None
    return PhoneCall(
        provider=Provider.DAILY,
        call_id=told.callId,
        call_domain=told.callDomain,
        caller=clean_number(told.From),
        called=clean_number(told.To),
        sip_headers=clean_headers(told.sipHeaders),
    )
