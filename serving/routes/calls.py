"""`POST /start` and the routes of a session: how a call is begun, kept and ended."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection, Request

from serving.access.callers import CallerKind
from serving.access.middleware import caller_of
from serving.access.own_keys import HEADER, own_key_of
from serving.access.rates import client_of
from serving.front_desk import FrontDesk, Guest
from serving.refused import Refused
from serving.routes.answers import refusals

router = APIRouter(tags=["calls"])

WAIT_S = 25.0
"""How long a question for a session's end may take: less than proxies wait for an answer."""

OWN_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The caller's own Gemini API key, for this call only (`model_key` of /api/salon).",
    "schema": {"type": "string"},
}

# What routes depend on is async although it waits for nothing: FastAPI has a thread do the rest, and
# in a burst all would be in their threads before the first of them is refused.


async def desk_of(request: HTTPConnection) -> FrontDesk:
    """The server's front desk."""
    return request.app.state.desk


async def guest_of(request: HTTPConnection) -> Guest:
    """Who starts a call."""
    caller = caller_of(request.scope)
    address = request.client.host if request.client else None
    is_known = caller.kind is not CallerKind.OPEN
    return Guest(client=client_of(address), caller=str(caller) if is_known else None)


async def session_of(
    desk: Annotated[FrontDesk, Depends(desk_of)],
    session_id: Annotated[str, Path(description="As `/start` gave it.", max_length=200)],
) -> str:
    """The session of a route, once its signature was checked."""
    return desk.read_id(session_id)


Desk = Annotated[FrontDesk, Depends(desk_of)]
SessionId = Annotated[str, Depends(session_of)]


class Asked(BaseModel):
    """What clients send; what they send beside it is for other servers, and is passed over."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class StartRequest(Asked):
    """The body of `/start`."""

    transport: Literal["webrtc", "daily", "websocket"] | None = None
    body: dict[str, Any] = Field(
        default_factory=dict, examples=[{"persona": "companion", "answers": "voice"}]
    )
    create_daily_room: bool = Field(default=False, alias="createDailyRoom")


class Started(BaseModel):
    """The answer of `/start`; what does not concern the transport is left out."""

    sessionId: str
    fileUploadUrl: str
    iceConfig: dict[str, Any] | None = None
    wsUrl: str | None = None
    dailyRoom: str | None = None
    dailyToken: str | None = None


class Offer(Asked):
    """A WebRTC offer."""

    sdp: str = Field(max_length=200_000)
    type: Literal["offer"]
    pc_id: str | None = Field(default=None, max_length=200)
    restart_pc: bool | None = None


class Answer(BaseModel):
    """The answer to an offer."""

    sdp: str
    type: str
    pc_id: str


class Candidate(Asked):
    """A candidate that was found after the offer."""

    candidate: str = Field(max_length=2_000)
    sdp_mid: str = Field(max_length=100)
    sdp_mline_index: int = Field(ge=0, le=100)


class Candidates(Asked):
    """Candidates for a connection."""

    pc_id: str = Field(max_length=200)
    candidates: list[Candidate] = Field(max_length=100)


class State(BaseModel):
    """What became of a session."""

    state: Literal["running", "ended"]
    reason: str | None = None
    text: str | None = None
    outcome: str | None = Field(
        default=None,
        description="Of a telephone call: busy, no-answer, voicemail, failure, or how it ended.",
    )


@router.post(
    "/start",
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 408, 413, 429, 502, 503),
    openapi_extra={"parameters": [OWN_KEY]},
)
async def start(
    request: Request,
    desk: Desk,
    guest: Annotated[Guest, Depends(guest_of)],
    asked: StartRequest | None = None,
) -> Started:
    """Ask for a session: who is to answer, how, and over which transport."""
    asked = asked or StartRequest()
    transport = asked.transport or ("daily" if asked.create_daily_room else "webrtc")
    if transport == "daily":
        desk.check_daily()
    own_key = own_key_of(request.scope["headers"])
    session_id = await desk.accept(transport, asked.body, guest, own_key)
    started = Started(sessionId=session_id, fileUploadUrl=f"/sessions/{session_id}/files")
    match transport:
        case "webrtc":
            if servers := await desk.ice.of_caller(desk.read_id(session_id)):
                started.iceConfig = {"iceServers": servers}
        case "websocket":
            scheme = "wss" if request.url.scheme == "https" else "ws"
            started.wsUrl = f"{scheme}://{request.url.netloc}/ws-client/{session_id}"
        case "daily":
            room = await desk.begin_in_room(desk.read_id(session_id))
            started.dailyRoom, started.dailyToken = room.url, room.guest_token
    return started


@router.post(
    "/sessions/{session_id}/api/offer",
    responses=refusals(400, 403, 404, 408, 409, 410, 413, 429, 503),
)
async def offer(session_id: SessionId, offered: Offer, desk: Desk) -> Answer:
    """Offer a WebRTC connection; the first one begins the call."""
    return Answer(**await desk.offer(session_id, offered.model_dump()))


@router.patch(
    "/sessions/{session_id}/api/offer", responses=refusals(400, 403, 404, 408, 409, 410, 413)
)
async def candidates(session_id: SessionId, found: Candidates, desk: Desk) -> dict[str, str]:
    """Add candidates to the connection."""
    await desk.ask(session_id, {"do": "candidates", **found.model_dump()})
    return {"status": "success"}


@router.get(
    "/sessions/{session_id}",
    response_model_exclude_none=True,
    responses=refusals(400, 403, 404, 410),
)
async def state(
    session_id: SessionId,
    desk: Desk,
    wait_s: Annotated[
        float,
        Query(ge=0, le=WAIT_S, allow_inf_nan=False, description="How long to wait for the end."),
    ] = 0,
) -> State:
    """Whether a session runs, and why it has ended; waits for the end if asked to."""
    ended = await desk.wait_for_end(session_id, within_s=wait_s if desk.is_known(session_id) else 0)
    if ended:
        return State(state="ended", reason=ended.reason, text=ended.text, outcome=ended.outcome)
    if not desk.is_known(session_id):
        raise Refused(404, "This session is not running.")
    return State(state="running")


@router.delete("/sessions/{session_id}", status_code=204, responses=refusals(400, 403, 410))
async def end(session_id: SessionId, desk: Desk) -> None:
    """End a session."""
    await desk.end(session_id, "The call was ended.")
