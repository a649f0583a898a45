"""A real `bot()` over Pipecat's own `DailyTransport`, for callers of the stand-in for Daily.

The server's part is played by the test: it is told of a call, makes a room for it, begins the bot,
and deletes the room when the bot is done.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pipecat.runner.types import DailyRunnerArguments

import bot
from pipeline.announcements import Announcement
from pipeline.endings import Ended
from pipeline.phone.busy import announce
from pipeline.phone.call import PhoneCall, Provider
from pipeline.session import Session
from tests.phone.support import CALLED, CALLER
from tests.support.conversation import point_at
from understudy import Understudy
from understudy.daily import DailyStandIn, Phone
from understudy.daily.phone import PhoneCall as Telephone

SORRY = "Nobody can take your call. Goodbye."


@dataclass
class Office:
    """Where calls come in.

    Parameters:
        daily: The stand-in for Daily.
        understudy: The stand-in for the model.
        logs: Where the turn logs are.
        bots: The bots that were begun, as tasks.
        says: What callers are told in place of a conversation.
    """

    daily: DailyStandIn
    understudy: Understudy
    logs: Path
    bots: list[asyncio.Task[None]]
    says: Announcement | None = None

    async def ring(self, **more: Any) -> Telephone:
        """Somebody calls."""
        return await Phone(self.daily.url).dial(CALLED, caller=CALLER, **more)

    @property
    def session(self) -> Session:
        """The one that runs."""
        (session,) = bot.SESSIONS
        return session

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of all turn logs."""
        files = self.logs.glob("*.jsonl")
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]

    def noted(self, event: str) -> list[dict[str, Any]]:
        """What the log has of one event, without what all its lines have."""
        lines = [line for line in self.log if line.get("event") == event]
        common = ("session", "event", "at")
        return [{k: v for k, v in line.items() if k not in common} for line in lines]

    @property
    def end(self) -> tuple[str, str]:
        """Why the session has ended."""
        (end,) = self.noted("end")
        return end["reason"], end["text"]

    async def type(self, text: str) -> None:
        """Have the model told something in writing, which telephones can't."""
        await self.session._service._send_user_text(text)

    async def over(self, *, within_s: float = 15) -> None:
        """Wait until all bots are done, and their rooms deleted."""
        async with asyncio.timeout(within_s):
            await asyncio.gather(*self.bots)
        assert not self.daily.rooms

    async def begin(self, room: dict[str, Any], call: PhoneCall | None) -> None:
        """Hold a session in a room, and delete that afterwards."""
        args = DailyRunnerArguments(
            room_url=room["url"],
            token=room["token"],
            session_id=f"s{len(self.bots)}",
            body={"persona": "companion"} | ({bot.PHONE: call} if call else {}),
        )
        args.handle_sigint = args.handle_sigterm = False
        try:
            await (announce(args, self.says) if self.says else bot.bot(args))
        finally:
            self.daily.domain.delete(room["name"])

    async def room(self, **properties: Any) -> dict[str, Any]:
        """Make a room, with a token for the bot."""
        headers = {"Authorization": f"Bearer {self.daily.api_key}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            made = await http.post(f"{self.daily.url}/rooms", json={"properties": properties})
            room = await made.json()
            wanted = {"properties": {"room_name": room["name"], "is_owner": True}}
            token = await http.post(f"{self.daily.url}/meeting-tokens", json=wanted)
            return room | await token.json()

    async def announced(self, request: web.Request) -> web.Response:
        """Daily says that somebody calls."""
        told = await request.json()
        call = PhoneCall(
            provider=Provider.DAILY,
            call_id=told["callId"],
            call_domain=told["callDomain"],
            caller=told["From"],
            called=told["To"],
            sip_headers=told.get("sipHeaders", {}),
        )
        sip = {"display_name": "caller", "sip_mode": "dial-in", "num_endpoints": 1}
        room = await self.room(sip=sip)
        self.bots.append(asyncio.create_task(self.begin(room, call)))
        return web.json_response({})


@contextlib.asynccontextmanager
async def office(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    variables: dict[str, str] | None = None,
    hold_s: float = 60.0,
    **understudys: Any,
) -> AsyncIterator[Office]:
    """Take calls; those that are left are over at the end."""
    async with (
        Understudy(**understudys) as understudy,
        DailyStandIn(hold_s=hold_s) as daily,
    ):
        point_at(understudy)
        known = {
            "GOOGLE_API_KEY": "any",
            "SALON_TURN_LOG_DIR": str(folder),
            "DAILY_API_URL": daily.url,
            "DAILY_API_KEY": daily.api_key,
            **(variables or {}),
        }
        for name, value in known.items():
            monkeypatch.setenv(name, value)
        made = Office(daily, understudy, folder, [])
        app = web.Application()
        app.router.add_post("/call", made.announced)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/call"
        daily.own_number(CALLED, url, message=SORRY)
        try:
            yield made
        finally:
            await runner.cleanup()
            for session in list(bot.SESSIONS):
                await session.leave("The test is over.", reason=Ended.CLOSING)
            await asyncio.gather(*made.bots)
