"""The server's application in this process, with a machine that only counts, beside Daily's stand-in."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx

from serving.access.callers import Callers
from serving.access.origins import Origins
from serving.access.session_ids import SessionIds
from serving.admission.admission import Admission, Limits
from serving.admission.dispatcher import LocalDispatcher
from serving.app import make_app
from serving.front_desk import FrontDesk
from serving.metrics import Metrics
from serving.phone.busy_lines import BusyLines
from serving.phone.switchboard import Switchboard
from serving.phone.taken_calls import TakenCalls
from serving.supervisor.process import ProcessFailed
from tests.access.support import settings
from understudy.daily import DailyStandIn
from understudy.daily.webhooks import headers as signed_headers

WEBHOOK = "/daily-dialin-webhook"
CALLED = "+15550100"


class Site:
    """What a test asks of it.

    Args:
        daily: The stand-in.
        folder: The run folder.
        slots: How many sessions there may be.
        variables: What is set, beside Daily's.
    """

    def __init__(self, daily: DailyStandIn, folder: Path, *, slots: int = 4, **variables: object):
        self.daily = daily
        self.folder = folder
        self.slots = slots
        self.begun: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []
        self.fails: Exception | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.settings = settings(
            **{
                "DAILY_API_KEY": daily.api_key,
                "DAILY_API_URL": daily.url,
                "DAILY_PINLESS_HMAC_SECRET": daily.hmac,
                "GOOGLE_API_KEY": "a key of the server",
                "SALON_MAX_CALLS_PER_NUMBER": "2",
                **variables,
            }
        )
        self.admission = Admission(Limits(per_number=self.settings.max_calls_per_number))
        dispatcher = LocalDispatcher(self.admission)
        self.desk = FrontDesk(
            settings=self.settings,
            folder=folder,
            dispatcher=dispatcher,
            ids=SessionIds(b"x" * 32),
        )
        self.busy_lines = BusyLines(
            lines=self.settings.busy_lines, rooms=self.desk.rooms, folder=folder, run=self._run
        )
        self._dispatcher = dispatcher
        self._callers = Callers(self.settings)
        taken = TakenCalls(folder)
        self.app = make_app(
            self.settings,
            self.desk,
            origins=Origins(hosts=["salon.test"]),
            callers=self._callers,
            is_ready=lambda: True,
            metrics=Metrics(),
            switchboard=Switchboard(
                self.settings, desk=self.desk, busy_lines=self.busy_lines, taken=taken
            ),
            taken_calls=taken,
        )
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://salon.test")

    # --- the machine ----------------------------------------------------------------------------

    def free_slots(self, admission: Admission) -> int:
        return self.slots - admission.running

    async def begin(
        self, session_id: str, question: dict[str, Any], *, fd: int | None = None
    ) -> dict[str, Any]:
        self.begun.append(question)
        if self.fails:
            raise self.fails
        (self.folder / f"{session_id}.sock").touch()
        return {"ok": {}}

    async def _run(self, name: str, question: dict[str, Any]) -> None:
        self.told.append(question)
        await self.may_end.wait()
        if self.fails:
            raise self.fails

    async def end_all(self) -> None:
        """Every session's process ends."""
        for path in self.folder.glob("*.sock"):
            path.unlink()
            await self.desk.forget(path.stem)

    # --- what Daily does ------------------------------------------------------------------------

    async def announce(self, body: bytes | dict[str, Any], **headers: str) -> httpx.Response:
        """Post a webhook; it is signed as Daily does, unless there are headers."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        signed = headers or signed_headers(self.daily.hmac, time.time(), body)
        return await self.http.post(WEBHOOK, content=body, headers=signed)

    async def open(self) -> None:
        await self._dispatcher.register(self)

    async def aclose(self) -> None:
        await self.busy_lines.aclose()
        await self.http.aclose()
        await self.desk.aclose()
        await self._callers.aclose()


def a_call(number: int = 1, **changed: Any) -> dict[str, Any]:
    """What Daily tells of a call."""
    told = {"From": f"+1555020{number:04}", "To": CALLED, "callId": f"call-{number}"}
    return {**told, "callDomain": "domain-1", **changed}


def failed() -> ProcessFailed:
    return ProcessFailed("A session's process did not begin in time.")


@contextlib.asynccontextmanager
async def phone_site(folder: Path, *, slots: int = 4, **variables: object) -> AsyncIterator[Site]:
    """Run it; afterwards everybody has hung up, and nothing may be left."""
    async with DailyStandIn() as daily:
        site = Site(daily, folder, slots=slots, **variables)
        await site.open()
        try:
            yield site
            await site.end_all()
        finally:
            await site.aclose()
        assert daily.rooms == {}, "a room is left behind"
        assert site.admission.running == 0, "a slot is left behind"
        assert left_in(folder) == set(), "something is left in the run folder"


def left_in(folder: Path) -> set[str]:
    """What is in a run folder, beside what may stay there."""
    return {path.name for path in folder.iterdir()} - {"taken-calls"}


async def until(is_so: Callable[[], Any], *, within_s: float = 10) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not is_so():
            await asyncio.sleep(0.01)
