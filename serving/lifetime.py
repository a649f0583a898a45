"""From the first request to Ctrl-C: what happens when the server begins and ends."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from types import FrameType

from fastapi import FastAPI

import bot
from pipeline.session import Session
from pipeline.settings import Settings
from serving.logs import log_to_stderr

HANG_UP_S = 2.0
"""How long sessions may take to end when the server does."""


def add_lifetime(app: FastAPI, settings: Settings) -> None:
    """Set the server's logging when it begins, and end its sessions when it is told to stop.

    Uvicorn waits for every request's background tasks, which is where Pipecat's runner runs its
    WebRTC sessions, so it would wait until the last caller hangs up; of Daily sessions it knows
    nothing, so those are waited for here.
    """

    @contextlib.asynccontextmanager
    async def lifetime(app: FastAPI) -> AsyncIterator[None]:
        log_to_stderr(settings)  # again: Pipecat's runner sets its own
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        ending = loop.create_task(_end_sessions_when(stopping))
        for number in (signal.SIGINT, signal.SIGTERM):
            _also_on(number, lambda: loop.call_soon_threadsafe(stopping.set))
        yield
        stopping.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_S):
                while bot.SESSIONS:  # noqa: ASYNC110 - nothing tells when it is empty
                    await asyncio.sleep(0.05)
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)

    app.router.lifespan_context = lifetime


def _also_on(number: signal.Signals, act: Callable[[], object]) -> None:
    """Do something when a signal comes, before whoever handles it already."""
    handle = signal.getsignal(number)

    def handler(number: int, frame: FrameType | None) -> None:
        act()
        if callable(handle):
            handle(number, frame)

    signal.signal(number, handler)


async def _end_sessions_when(stopping: asyncio.Event) -> None:
    """Hang up on everybody, also on those whose session was just being made."""
    await stopping.wait()
    told: set[Session] = set()
    while True:
        async with asyncio.TaskGroup() as group:
            for session in bot.SESSIONS - told:
                group.create_task(session.hang_up("The server is closing."))
                told.add(session)
        await asyncio.sleep(0.1)
