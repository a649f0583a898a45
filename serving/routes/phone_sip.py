"""Calls of others' numbers, forwarded to a Daily room: a Twilio number's, and any SIP trunk's."""

import asyncio
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from loguru import logger
from pydantic import BaseModel, Field
from starlette.requests import Request

from pipeline.phone.call import PhoneCall, Provider, clean_headers, clean_number
from pipeline.settings import Settings
from serving.front_desk import FrontDesk, Guest
from serving.phone import call_xml
from serving.phone.guests import guest_of_call
from serving.phone.stream_calls import is_over, read_call
from serving.refused import Refused
from serving.routes.answers import refusals
from serving.routes.calls import Asked, Desk, guest_of
from serving.routes.phone_streams import BUSY, REFUSALS, OfTwilio, StreamCalls, calls_of, xml

router = APIRouter(tags=["phone"])

WITHIN_S = 12.0
"""How long a room and its line may take together; Twilio waits 15 s for an answer."""
LATE = "The call can't be put through to a room now; please try again."
SORRY = "I am sorry, your call can't be taken now. Please call again later."


class SipCall(Asked):
    """A call that somebody's SIP trunk has."""

    caller: str = Field(default="", alias="from", max_length=256)
    called: str = Field(default="", alias="to", max_length=256)
    call_id: str = Field(
        default="", alias="callId", max_length=200, description="The same call gets the same room."
    )
    sip_headers: dict[str, Any] = Field(default_factory=dict, alias="sipHeaders")


class Forward(BaseModel):
    """Where to forward a call, and the session that waits for it there."""

    sipUri: str
    sessionId: str


@router.post("/phone/twilio-sip", response_class=Response, responses=REFUSALS)
async def twilio_sip(request: Request, desk: Desk, fields: OfTwilio) -> Response:
    """Somebody calls a number of Twilio's: forward the call to a Daily room."""
    calls = await calls_of(request)
    if is_over(fields):
        return xml(call_xml.nothing())
    call = read_call(Provider.SIP, fields)
    try:
        forward = await _forward(desk, calls, call, guest_of_call(call), whose="twilio")
    except Refused as refused:
        logger.info(f"A call is not forwarded: {refused.sentence}")
        told = call_xml.BUSY if refused.status in BUSY and refused.sentence != LATE else SORRY
        return xml(call_xml.say(Provider.TWILIO, told))
    return xml(call_xml.dial_room(forward.sipUri))


@router.post("/phone/sip", responses=refusals(400, 401, 403, 408, 409, 413, 429, 502, 503))
async def sip(
    request: Request, desk: Desk, asked: SipCall, guest: Annotated[Guest, Depends(guest_of)]
) -> Forward:
    """Have a session wait in a Daily room for a call that is forwarded there."""
    calls = await calls_of(request)
    call = PhoneCall(
        provider=Provider.SIP,
        call_id=asked.call_id or uuid.uuid4().hex,
        caller=clean_number(asked.caller),
        called=clean_number(asked.called),
        sip_headers=clean_headers(asked.sip_headers),
    )
    numbered = Guest(client=guest.client, caller=guest.caller, number=guest_of_call(call).number)
    return await _forward(desk, calls, call, numbered, whose=f"trunk {guest.caller or ''}")


async def _forward(
    desk: FrontDesk, calls: StreamCalls, call: PhoneCall, guest: Guest, *, whose: str
) -> Forward:
    """Have a session wait for a call, once.

    Raises:
        Refused: When that can't be done in time; there is no room then.
    """
    desk.check_daily()
    is_new, signed = calls.taken.take(call, whose=whose), None
    try:
        async with asyncio.timeout(WITHIN_S):
            if is_new:
                signed = await _begin(desk, calls.settings, call, guest)
                calls.taken.began(call, signed, whose=whose)
            else:
                signed = calls.taken.session(call, whose=whose)
            address = await desk.ask(desk.read_id(signed), {"do": "sip_address"})
    except BaseException as error:
        if is_new:
            calls.taken.forget(call, whose=whose)
            if signed:
                await desk.end(desk.read_id(signed), LATE)
        if isinstance(error, TimeoutError):
            raise Refused(503, LATE, {"Retry-After": "5"}) from None
        raise
    return Forward(sipUri=address, sessionId=signed)


async def _begin(desk: FrontDesk, settings: Settings, call: PhoneCall, guest: Guest) -> str:
    persona = settings.persona_by_number.get(call.called)
    signed = await desk.accept("daily", {"persona": persona} if persona else {}, guest)
    await desk.begin_in_room(desk.read_id(signed), sip_name=call.caller, phone=call)
    return signed
