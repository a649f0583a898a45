"""The WebSocket doors: plain (`/ws-client`) and for Pipecat's eval harness (`/ws`).

The routes read the request and decide; the connection itself then goes to the session's process,
which answers the handshake.
"""

from fastapi import APIRouter, WebSocket

from serving.front_desk import FrontDesk
from serving.hand_over import hand_over
from serving.refused import Refused
from serving.routes.calls import guest_of

router = APIRouter()


@router.websocket("/ws-client/{session_id}")
async def started(websocket: WebSocket, session_id: str) -> None:
    """A plain WebSocket, for a session that `/start` has given."""
    await _give(websocket, "websocket", session_id)


@router.websocket("/ws-client")
async def plain(websocket: WebSocket) -> None:
    """A plain WebSocket that starts its session by connecting."""
    await _give(websocket, "websocket")


@router.websocket("/ws")
async def first_message_tells(websocket: WebSocket) -> None:
    """A WebSocket whose first message tells what it speaks, as Pipecat's eval harness does."""
    await _give(websocket, "eval")


async def _give(websocket: WebSocket, way: str, signed: str | None = None) -> None:
    """Begin a call with a connection, or refuse it in a sentence."""
    desk: FrontDesk = websocket.app.state.desk
    try:
        if signed is None:
            signed = await desk.accept(way, {}, await guest_of(websocket))
        session_id = desk.read_id(signed)

        async def take(fd: int, head: str) -> None:
            await desk.begin(session_id, way=way, fd=fd, head=head)

        await hand_over(websocket, take)
    except Refused as refused:
        websocket.state.why = refused.why
        await websocket.send_denial_response(refused.response())
