"""Calls of Twilio, Telnyx and Plivo numbers: their webhooks, and the WebSockets with their sound."""

import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, WebSocket
from fastapi.responses import Response
from loguru import logger
from starlette.requests import HTTPConnection, Request

from pipeline.phone.call import PhoneCall, Provider
from pipeline.settings import Settings
from serving.front_desk import FrontDesk
from serving.hand_over import hand_over
from serving.phone import call_xml, signatures
from serving.phone.guests import guest_of_call
from serving.phone.signatures import Fields, Webhook
from serving.phone.stream_calls import is_over, read_call
from serving.phone.taken_calls import TakenCalls
from serving.refused import Refused
from serving.routes.answers import refusals
from serving.routes.calls import Desk

router = APIRouter(tags=["phone"])

MAX_BODY_BYTES = 16 * 1024
BUSY = (429, 503)
"""What is refused for the load, or because somebody has as many calls as are allowed."""
REFUSALS = refusals(400, 403, 408, 409, 413, 503)


class StreamCalls:
    """What the routes of this file share.

    Args:
        settings: Of this server.
        taken: Which calls have come before.
    """

    def __init__(self, settings: Settings, taken: TakenCalls):
        self.settings = settings
        self.taken = taken

    def check(self, provider: Provider, webhook: Webhook) -> Fields:
        """What a webhook says, if it is from who it says.

        Raises:
            Refused: When it is not.
        """
        settings = self.settings
        match provider:
            case Provider.TELNYX:
                signatures.check_telnyx(webhook, settings.telnyx_public_key, time.time())
            case Provider.PLIVO:
                signatures.check_plivo(webhook, settings.plivo_auth_token)
            case _:
                signatures.check_twilio(webhook, settings.twilio_auth_token)
        return webhook.fields()


async def calls_of(request: HTTPConnection) -> StreamCalls:
    """What the routes share."""
    return request.app.state.stream_calls


def said_by(provider: Provider) -> Callable:
    """What a request's form says, once it is known that the provider sent it."""

    async def said(request: Request) -> Fields:
        calls = await calls_of(request)
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, f"A call's form may have {MAX_BODY_BYTES // 1024} KB at most.")
        url = f"{_public(request, 'http')}{_asked_for(request)}"
        webhook = Webhook(url=url, headers=request.scope["headers"], body=body)
        try:
            return calls.check(provider, webhook)
        except Refused as refused:
            logger.warning(f"A webhook for {provider} is refused: {refused.sentence}")
            raise

    return said


OfTwilio = Annotated[Fields, Depends(said_by(Provider.TWILIO))]
OfTelnyx = Annotated[Fields, Depends(said_by(Provider.TELNYX))]
OfPlivo = Annotated[Fields, Depends(said_by(Provider.PLIVO))]


@router.post("/phone/twilio", response_class=Response, responses=REFUSALS)
async def twilio(request: Request, desk: Desk, fields: OfTwilio) -> Response:
    """Somebody calls a number of Twilio's: its sound is to come by a WebSocket."""
    return await _answer(request, desk, Provider.TWILIO, fields)


@router.post("/phone/telnyx", response_class=Response, responses=REFUSALS)
async def telnyx(request: Request, desk: Desk, fields: OfTelnyx) -> Response:
    """Somebody calls a number of Telnyx's (TeXML): its sound is to come by a WebSocket."""
    return await _answer(request, desk, Provider.TELNYX, fields)


@router.post("/phone/plivo", response_class=Response, responses=REFUSALS)
async def plivo(request: Request, desk: Desk, fields: OfPlivo) -> Response:
    """Somebody calls a number of Plivo's: its sound is to come by a WebSocket."""
    return await _answer(request, desk, Provider.PLIVO, fields)


@router.post("/phone/plivo-transfer", response_class=Response, responses=REFUSALS)
async def plivo_transfer(
    request: Request, fields: OfPlivo, to: Annotated[str, Query(max_length=200)]
) -> Response:
    """Plivo asks whom to connect a call with that the bot transfers."""
    calls = await calls_of(request)
    if to not in calls.settings.transfer_targets.values():
        raise Refused(403, "Calls are not transferred to there; see SALON_TRANSFER_TO.")
    return xml(call_xml.dial(Provider.PLIVO, to))


@router.websocket("/ws-phone/{signed}")
async def stream(websocket: WebSocket, signed: str) -> None:
    """The sound of a call that was announced before."""
    desk: FrontDesk = websocket.app.state.desk
    try:
        session_id = desk.read_id(signed)

        async def take(fd: int, head: str) -> None:
            await desk.begin(session_id, way="phone", fd=fd, head=head)

        await hand_over(websocket, take)
    except Refused as refused:
        websocket.state.why = refused.why
        await websocket.send_denial_response(refused.response())


async def _answer(
    request: Request, desk: FrontDesk, provider: Provider, fields: Fields
) -> Response:
    calls = await calls_of(request)
    if is_over(fields):
        return xml(call_xml.nothing())
    call = read_call(provider, fields)
    if calls.taken.take(call):
        try:
            signed = await accept(desk, calls.settings, call, way="phone")
        except BaseException as error:
            calls.taken.forget(call)
            if isinstance(error, Refused) and error.status in BUSY:
                logger.info(f"A caller is told that all lines are busy: {error.sentence}")
                return xml(call_xml.say(provider, call_xml.BUSY))
            raise
        calls.taken.began(call, signed)
    elif not desk.is_waiting(desk.read_id(signed := calls.taken.session(call))):
        raise Refused(409, "This call was answered before.")
    return xml(call_xml.stream(provider, f"{_public(request, 'ws')}/ws-phone/{signed}"))


async def accept(desk: FrontDesk, settings: Settings, call: PhoneCall, *, way: str) -> str:
    """Keep a slot for a call, and note who answers it.

    Returns:
        The signed session id.

    Raises:
        Refused: When it can't be had now.
    """
    persona = settings.persona_by_number.get(call.called)
    choices = {"persona": persona} if persona else {}
    return await desk.accept(way, choices, guest_of_call(call), phone=call)


def xml(document: bytes) -> Response:
    """An answer to a telephone service."""
    return Response(document, media_type="application/xml", headers={"Cache-Control": "no-store"})


def _public(request: HTTPConnection, scheme: str) -> str:
    """Where we are reached, as `https://host` or `wss://host`."""
    settings: Settings = request.app.state.stream_calls.settings
    # The Host header was checked before: it is one of the names that this server has.
    url = settings.public_url or f"{_http_scheme(request)}://{request.headers['host']}"
    return f"{scheme}{url.removeprefix('http')}"


def _http_scheme(request: HTTPConnection) -> str:
    return {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)


def _asked_for(request: Request) -> str:
    path = request.scope["raw_path"].partition(b"?")[0].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
