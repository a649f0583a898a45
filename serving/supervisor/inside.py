"""What runs in a session's process: it waits for its call, serves it, tells how it is, and ends."""

import asyncio
import faulthandler
import importlib
import json
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import uvloop
from loguru import logger

from pipeline.endings import Ended
from pipeline.loop_lag import watch_loop
from serving.logs import hide, log_as
from serving.refused import Refused
from serving.supervisor import channel
from serving.supervisor.doors import Doors
from serving.supervisor.watch import Bounds

BEAT_S = 0.5
LEAVE_S = 3.0
"""How long a call may take to end once nobody supervises it any more."""

Bot = Callable[[Any], Awaitable[None]]


def main(reports: Connection, socket_path: str, stacks_path: str, bounds: Bounds, bot_path: str):
    """Serve one call and end. Runs in a fork of the preloaded process.

    Args:
        reports: Where beats go: a line of JSON twice a second.
        socket_path: Where questions come from; whoever knows the name may ask.
        stacks_path: The file that holds where the threads were, should they be stuck.
        bounds: What the process may use.
        bot_path: The bot as `module:function`.
    """
    os.setsid()  # Ctrl-C in a terminal is for the server
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with Path(stacks_path).open("w") as stacks, socket.socket(socket.AF_UNIX) as listener:
        faulthandler.enable(stacks)
        _limit(bounds)
        listener.bind(socket_path)
        listener.listen()
        listener.setblocking(False)
        os.set_blocking(reports.fileno(), False)
        module, function = bot_path.split(":")
        inside = _Inside(reports, listener, getattr(importlib.import_module(module), function))
        status = 0
        try:
            runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
            runner.run(inside.run(lambda: _watch_stacks(stacks, bounds)))
        except BaseException:
            logger.exception("The process of a session can't go on")
            status = 70
        # Not by way of the interpreter's own end, which takes 0.2 s and may hang in a library.
        logger.complete()
        os._exit(status)


def _limit(bounds: Bounds) -> None:
    """Set what the kernel can hold a process to.

    Memory is bounded twice: here against one large allocation, far above what the supervisor allows,
    because this counts what threads reserve and never use; there against growth.
    """
    data_bytes = _data_bytes() + 2 * bounds.memory_bytes
    for what, limit in (
        (resource.RLIMIT_NOFILE, bounds.files),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, data_bytes),
    ):
        resource.setrlimit(what, (limit, limit))


def _data_bytes() -> int:
    """What counts as data, as of now."""
    return getattr(psutil.Process().memory_info(), "data", 2**30)


def _watch_stacks(stacks: Any, bounds: Bounds) -> None:
    faulthandler.dump_traceback_later(bounds.slow_s, file=stacks)


class _Inside:
    def __init__(self, reports: Connection, listener: socket.socket, bot_function: Bot):
        self._reports = reports
        self._listener = listener
        self._doors = Doors(bot_function)
        self._is_left = asyncio.Event()

    async def run(self, rearm: Callable[[], None]) -> None:
        asking = asyncio.create_task(channel.serve(self._listener, self._answer))
        beating = asyncio.create_task(self._beat(rearm))
        leaving = asyncio.create_task(self._is_left.wait())
        serving = asyncio.create_task(self._doors.served())
        try:
            await asyncio.wait({leaving, serving}, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                await self._doors.end("The server is gone; please connect again.")
                await asyncio.wait({serving}, timeout=LEAVE_S if self._doors.is_called else 0)
            self._report({"ended": True, **self._doors.report()})
        finally:
            faulthandler.cancel_dump_traceback_later()
            tasks = (asking, beating, leaving, serving)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _beat(self, rearm: Callable[[], None]) -> None:
        with watch_loop() as lag:
            while True:
                rearm()
                self._report({"beat": True, **lag.report(), **self._doors.report()})
                await asyncio.sleep(BEAT_S)

    def _report(self, report: dict[str, Any]) -> None:
        line = json.dumps(report).encode() + b"\n"
        try:
            os.write(self._reports.fileno(), line)
        except BlockingIOError:
            pass  # nobody reads just now; the next will do
        except BrokenPipeError:
            self._is_left.set()

    async def _answer(self, question: dict[str, Any], fd: int | None) -> dict[str, Any]:
        try:
            return {"ok": await self._do(question, fd)}
        except Refused as refused:
            return {"refused": [refused.status, str(refused)]}
        except Exception:
            logger.exception("A question of the server could not be answered")
            return {"refused": [500, "Something went wrong here; please connect again."]}

    async def _do(self, question: dict[str, Any], fd: int | None) -> Any:
        match question.pop("do"):
            case "begin":
                log_as(question["session"])
                if own_key := question.get("own_key"):
                    hide(own_key)
                return await self._doors.begin(**question, fd=fd)
            case "offer":
                return await self._doors.offer(**question)
            case "candidates":
                return await self._doors.candidates(**question)
            case "end":
                reason = Ended(question.get("reason", Ended.CLOSING))
                return await self._doors.end(question["why"], reason=reason)
            case "sip_address":
                return await self._doors.sip_address()
            case other:
                raise Refused(400, f"This process can't {other}.")
