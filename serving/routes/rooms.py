"""`GET /daily`: a Daily room with a bot in it, for a person who has nothing but a browser."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse

from serving.front_desk import Guest
from serving.routes.answers import refusals
from serving.routes.calls import Desk, guest_of

router = APIRouter(tags=["rooms"])


@router.get(
    "/daily",
    status_code=307,
    response_class=RedirectResponse,
    responses=refusals(400, 401, 403, 429, 502, 503),
)
async def daily(desk: Desk, guest: Annotated[Guest, Depends(guest_of)]) -> RedirectResponse:
    """Create a room, send the bot there, and take the browser along."""
    desk.check_daily(for_browser=True)
    session_id = desk.read_id(await desk.accept("daily", {}, guest))
    room = await desk.begin_in_room(session_id)
    query = f"?{urlencode({'t': room.guest_token})}" if room.guest_token else ""
    return RedirectResponse(f"{room.url}{query}")
