"""Telephone calls over Daily: those that come in are announced here, and others are made."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection, Request

from serving.access.own_keys import own_key_of
from serving.front_desk import Guest
from serving.phone.switchboard import Became, Switchboard
from serving.routes.answers import refusals
from serving.routes.calls import OWN_KEY, Asked, guest_of

router = APIRouter(tags=["phone"])


async def switchboard_of(request: HTTPConnection) -> Switchboard:
    """The server's switchboard."""
    return request.app.state.switchboard


Board = Annotated[Switchboard, Depends(switchboard_of)]


class CallAsked(Asked):
    """Whom to call, and who is to speak."""

    to: str = Field(max_length=64, examples=["+15551234567"])
    body: dict[str, Any] = Field(default_factory=dict, examples=[{"persona": "companion"}])


class CallMade(BaseModel):
    """The session that speaks; `GET /sessions/{sessionId}` tells what becomes of it."""

    sessionId: str


class Announced(BaseModel):
    """What became of a call that was announced."""

    status: Became


@router.post(
    "/daily-dialin-webhook",
    responses=refusals(400, 401, 408, 409, 413, 502, 503),
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}}}},
)
async def dial_in(request: Request, board: Board) -> Announced:
    """Somebody calls a number of Daily's (`room_creation_api`); Daily has signed it."""
    return Announced(status=await board.dial_in(request.scope["headers"], await request.body()))


@router.post(
    "/calls",
    responses=refusals(400, 401, 403, 408, 413, 429, 502, 503),
    openapi_extra={"parameters": [OWN_KEY]},
)
async def dial_out(
    request: Request,
    board: Board,
    guest: Annotated[Guest, Depends(guest_of)],
    asked: CallAsked,
) -> CallMade:
    """Call a number, and speak with whoever answers."""
    own_key = own_key_of(request.scope["headers"])
    return CallMade(sessionId=await board.dial_out(asked.to, asked.body, guest, own_key))
