"""Runs each session in a process of its own, and sees to it that none lasts beyond its time."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loguru import logger

from serving.supervisor.channel import NobodyAnswers
from serving.supervisor.endings import Ending, Reason, ending
from serving.supervisor.process import ProcessFailed, SessionProcess
from serving.supervisor.watch import Bounds, Trouble

WATCH_S = 0.25
READY_S = 20.0
"""How long a fork may take to say that it waits; the first waits for what is preloaded."""
REFILL_S = 1.0
"""A new spare waits so long for the call that took the last one: a start is work for both."""
CLOSE_S = 2.0
"""How long sessions may take to end when the server closes."""

_REASONS = {
    Trouble.HUNG: Reason.HUNG,
    Trouble.MEMORY: Reason.MEMORY,
    Trouble.TIME: Reason.TIME,
}

OnEnd = Callable[[str, Ending], None]
OnReport = Callable[[str, dict[str, Any]], None]


class Supervisor:
    """The processes of one server.

    Args:
        folder: Where their sockets are; only this user may look into it.
        bounds: What each may use.
        spares: How many wait for a call.
        bot_path: What holds the conversation, as `module:function`.
        on_end: Gets a session and how it ended, once its process is gone.
        on_report: Gets a session and what its process tells twice a second.
    """

    def __init__(
        self,
        folder: Path,
        *,
        bounds: Bounds,
        spares: int,
        bot_path: str = "bot:bot",
        on_end: OnEnd = lambda session_id, what: None,
        on_report: OnReport = lambda session_id, report: None,
    ):
        self._folder = folder
        self._bounds = bounds
        self._wanted_spares = spares
        self._bot_path = bot_path
        self._on_end, self._on_report = on_end, on_report
        self._spares: list[SessionProcess] = []
        self._sessions: dict[str, SessionProcess] = {}
        self._reasons: dict[str, Reason] = {}
        self._numbers = itertools.count()
        self._taken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def sessions(self) -> dict[str, SessionProcess]:
        """The processes that have a call, by session."""
        return self._sessions

    @property
    def spares(self) -> int:
        """How many processes wait for a call."""
        return len(self._spares)

    async def open(self) -> None:
        """Start the first spare, which loads what all share, and watch from now on.

        Raises:
            ProcessFailed: When none can be started.
        """
        self._spares.append(await self._start())
        self._keep(self._refill())
        self._keep(self._watch())

    async def begin(
        self, session_id: str, question: dict[str, Any], *, fd: int | None = None
    ) -> dict[str, Any]:
        """Give a call to a process.

        Args:
            session_id: The session; it has none yet.
            question: What the process is told, as `Doors.begin` takes it.
            fd: An open connection that goes along.

        Returns:
            What the process answers.

        Raises:
            ProcessFailed: When no process can be started, or it ended.
        """
        process = await self._take()
        logger.info(f"Session {session_id} begins in process {process.pid}")
        try:
            process.rename(self._folder / f"{session_id}.sock")
        except OSError as error:
            process.kill()
            raise ProcessFailed(f"The session did not begin: {error}.") from None
        process.watch.began(now_s=asyncio.get_running_loop().time())
        process.on_report = lambda report: self._on_report(session_id, report)
        self._sessions[session_id] = process
        process.ended.add_done_callback(lambda ended: self._ended(session_id, ended.result()))
        try:
            return await process.ask({"do": "begin", "session": session_id, **question}, fd=fd)
        except NobodyAnswers as error:
            if session_id in self._sessions:
                self._end_by_force(session_id, Reason.FAILED)
            raise ProcessFailed(f"The session did not begin: {error}.") from None

    async def end(self, session_id: str, why: str) -> None:
        """Have a session tell its caller why, and hang up."""
        if process := self._sessions.get(session_id):
            with contextlib.suppress(NobodyAnswers):
                await process.ask({"do": "end", "why": why})

    async def close(self, why: str) -> None:
        """End every session and every process."""
        self._wanted_spares = 0
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        running = dict(self._sessions)
        self._reasons |= dict.fromkeys(running, Reason.CLOSED)
        gone = [process.ended for process in running.values()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(*(self.end(session_id, why) for session_id in running))
                if gone:
                    await asyncio.wait(gone)
        rest = [*self._spares, *self._sessions.values()]
        for process in rest:
            process.kill()
        if rest:
            await asyncio.wait([process.ended for process in rest])

    # --- spares ---------------------------------------------------------------------------------

    async def _take(self) -> SessionProcess:
        """A process that waits for a call, from now on for no other one."""
        while self._spares:
            process = self._spares.pop(0)
            self._taken.set()
            if not process.ended.done():
                return process
        return await self._start()

    async def _start(self) -> SessionProcess:
        path = self._folder / f"spare-{os.getpid()}-{next(self._numbers)}.sock"
        process = await SessionProcess.start(path, bounds=self._bounds, bot_path=self._bot_path)
        try:
            async with asyncio.timeout(READY_S):
                await asyncio.shield(process.ready)
        except TimeoutError:
            process.kill()
            raise ProcessFailed("A session's process did not begin in time.") from None
        except asyncio.CancelledError:
            process.kill()
            await process.ended
            raise
        process.ended.add_done_callback(lambda ended: self._taken.set())
        return process

    async def _refill(self) -> None:
        """Keep as many processes waiting as there should be."""
        while True:
            self._spares = [spare for spare in self._spares if not spare.ended.done()]
            if len(self._spares) < self._wanted_spares:
                try:
                    self._spares.append(await self._start())
                except ProcessFailed as error:
                    logger.error(str(error))
                    await asyncio.sleep(REFILL_S)
                continue
            self._taken.clear()
            await self._taken.wait()
            await asyncio.sleep(REFILL_S)

    # --- watching -------------------------------------------------------------------------------

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        last_s = loop.time()
        while True:
            await asyncio.sleep(WATCH_S)
            late_s = loop.time() - last_s - 2 * WATCH_S
            last_s = loop.time()
            for session_id, process in list(self._sessions.items()):
                if late_s > 0:
                    process.watch.pardon(late_s)
                process.measure()
                self._look_at(session_id, process, now_s=last_s)
            for spare in self._spares:
                if spare.watch.trouble(now_s=last_s) is Trouble.HUNG:
                    spare.kill()
                    self._taken.set()

    def _look_at(self, session_id: str, process: SessionProcess, *, now_s: float) -> None:
        trouble = process.watch.trouble(now_s=now_s)
        if trouble is None:
            return
        silent_s = process.watch.silent_s(now_s)
        if trouble is Trouble.SLOW:
            logger.bind(stacks=process.read_stacks()).warning(
                f"Session {session_id}: its event loop is blocked for {silent_s:.1f} s now"
            )
        else:
            logger.error(
                f"Session {session_id} is killed ({trouble}): {silent_s:.1f} s without a beat, "
                f"{process.watch.memory_bytes / 2**20:.0f} MB"
            )
            self._end_by_force(session_id, _REASONS[trouble])

    def _end_by_force(self, session_id: str, reason: Reason) -> None:
        self._reasons[session_id] = reason
        self._sessions[session_id].kill()

    def _ended(self, session_id: str, status: int) -> None:
        process = self._sessions.pop(session_id)
        reason = self._reasons.pop(session_id, None)
        if reason is None:
            reason = Reason.FINISHED if process.ended_itself else Reason.CRASHED
        if reason not in (Reason.FINISHED, Reason.CLOSED):
            how = f"signal {-status}" if status < 0 else f"status {status}"
            told = logger.bind(stacks=process.stacks)
            told.error(f"Session {session_id} ended: {reason}, {how}")
        self._on_end(session_id, ending(reason))

    def _keep(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
