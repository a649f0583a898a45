"""The server from its first request to its last: what it is made of, and how it ends."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
from loguru import logger

from pipeline.loop_lag import LoopLag, watch_loop
from pipeline.settings import Settings
from serving.access.callers import Callers
from serving.access.middleware import UVICORN
from serving.access.origins import Origins
from serving.access.session_ids import SessionIds, token_secret
from serving.admission.admission import Admission, Limits
from serving.admission.dispatcher import LocalDispatcher
from serving.admission.load import Meter
from serving.admission.slots import free_slots
from serving.app import make_app
from serving.front_desk import FrontDesk
from serving.hand_over import HandOverProtocol
from serving.metrics import Metrics
from serving.phone.busy_lines import PREFIX, BusyLines
from serving.phone.switchboard import Switchboard
from serving.phone.taken_calls import TakenCalls
from serving.refused import Refused
from serving.session_report import CallEnd, read_end
from serving.succession import dismiss, forget_dead, serve_successors
from serving.supervisor.endings import Ending, Reason
from serving.supervisor.process import ProcessFailed
from serving.supervisor.supervisor import Supervisor
from serving.supervisor.watch import Bounds

METER_S = 1.0
CLOSING = "The server is closing."


class Server:
    """Runs sessions behind a listening socket.

    Args:
        settings: Of this server.
        folder: The run folder.
        host: The address or name that it listens on.
        bot_path: What holds the conversations, as `module:function`.
    """

    def __init__(self, settings: Settings, folder: Path, *, host: str, bot_path: str = "bot:bot"):
        self._settings = settings
        self._origins = Origins.of(settings, host)
        self._callers = Callers(settings)
        self._folder = folder
        self._admission = Admission(
            Limits(
                per_client=settings.max_sessions_per_client,
                per_caller=settings.max_sessions_per_key,
                per_number=settings.max_calls_per_number,
                per_model_key=settings.max_sessions_per_model_key,
            )
        )
        self._dispatcher = LocalDispatcher(self._admission)
        self._meter = Meter()
        self.metrics = Metrics()
        self._supervisor = Supervisor(
            folder,
            bounds=Bounds(memory_bytes=settings.session_memory_mb * 2**20),
            spares=settings.spare_processes,
            bot_path=bot_path,
            on_end=self._on_end,
            on_report=self._took,
        )
        self.desk = FrontDesk(
            settings=settings,
            folder=folder,
            dispatcher=self._dispatcher,
            ids=SessionIds(token_secret(settings, folder)),
        )
        self._busy_lines = BusyLines(
            lines=settings.busy_lines, rooms=self.desk.rooms, folder=folder, run=self._run
        )
        self._taken_calls = TakenCalls(folder)
        self._switchboard = Switchboard(
            settings, desk=self.desk, busy_lines=self._busy_lines, taken=self._taken_calls
        )
        self._tasks: set[asyncio.Task[Any]] = set()
        self._call_ends: dict[str, CallEnd] = {}
        self._forgetting: set[asyncio.Task[None]] = set()
        self._uvicorn: _Uvicorn | None = None

    def free_slots(self, admission: Admission) -> int:
        """How many more sessions this machine can carry."""
        now_s = asyncio.get_running_loop().time()
        return free_slots(
            self._meter.load,
            running=admission.running + self._foreign(),
            loading=admission.loading(now_s=now_s),
            most=self._settings.max_sessions,
        )

    def _foreign(self) -> int:
        """How many sessions another server runs in our folder, which we succeed."""
        named = {path.stem for path in self._folder.glob("*.sock") if len(path.stem) == 32}
        return len(named - self._supervisor.sessions.keys())

    async def begin(
        self, session_id: str, question: dict[str, Any], *, fd: int | None = None
    ) -> dict[str, Any]:
        """Begin a session in a process of its own."""
        self.metrics.started(session_id, transport=question["way"])
        try:
            answer = await self._supervisor.begin(session_id, question, fd=fd)
        except ProcessFailed:
            self.metrics.ended(session_id, Reason.FAILED)
            raise
        self.metrics.session_is(session_id, "running")
        return answer

    async def _run(self, name: str, question: dict[str, Any]) -> None:
        """Run a process that is no session, until it ends or there is no time left for it."""
        try:
            await self._supervisor.begin(name, question)
            if process := self._supervisor.sessions.get(name):
                await asyncio.wait([process.ended])
        except ProcessFailed as error:
            raise Refused(503, str(error)) from None
        finally:
            if process := self._supervisor.sessions.get(name):
                process.kill()

    async def open(self) -> None:
        """Load what sessions are made of, and have a process wait for the first.

        Raises:
            ProcessFailed: When sessions can't be started.
        """
        await asyncio.to_thread(forget_dead, self._folder)
        await self._supervisor.open()
        await self._dispatcher.register(self)

    async def serve(
        self, listener: socket.socket, *, on_open: Callable[[], None], room: str | None = None
    ) -> None:
        """Serve until told to stop.

        Args:
            listener: A socket that listens.
            on_open: Called once calls can be taken.
            room: A Daily room to be joined with one session, whose end is the server's.
        """
        app = make_app(
            self._settings,
            self.desk,
            origins=self._origins,
            callers=self._callers,
            is_ready=lambda: not self._admission.is_draining,
            metrics=self.metrics,
            switchboard=self._switchboard,
            taken_calls=self._taken_calls,
        )
        app.router.lifespan_context = self._lifespan
        config = uvicorn.Config(
            app,
            ws=HandOverProtocol,
            loop="none",
            log_config=None,
            **UVICORN,
        )
        self._on_open, self._room = on_open, room
        self._listener = listener
        self._uvicorn = _Uvicorn(config, self)
        await self._uvicorn.serve(sockets=[listener])

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Any) -> AsyncIterator[None]:
        with watch_loop() as lag:
            self._keep(self._measure(lag))
            await dismiss(self._folder)
            self._keep(serve_successors(self._folder, self._listener, leave=self._succeeded))
            self._on_open()
            if self._room:
                self._keep(self._join(self._room))
            yield
        await self._busy_lines.aclose()
        await self._supervisor.close(CLOSING)
        await asyncio.gather(*self._forgetting)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.desk.aclose()

    async def _join(self, room: str) -> None:
        """Hold one session in a room that is there, and end with it."""
        try:
            session_id = await self.desk.join(room)
            while (ended := await self.desk.wait_for_end(session_id, within_s=60.0)) is None:
                pass
            print(f"The call in the room has ended. {ended.text}", flush=True)
        except Refused as refused:
            print(f"The room can't be joined. {refused}", flush=True)
        self._leave()

    def _succeeded(self) -> None:
        """Another server listens in our place: what is left to do here is our calls' end."""
        logger.info("Another server has taken over the port.")
        assert self._uvicorn
        self._uvicorn.stop_listening()
        self.stop(signal.SIGTERM)

    # --- the end --------------------------------------------------------------------------------

    def stop(self, number: int) -> None:
        """A signal came: drain for SIGTERM, end at once for SIGINT or whatever comes second."""
        at_once = number == signal.SIGINT or self._admission.is_draining
        self._admission.is_draining = True
        if at_once or self._settings.drain_s == 0:
            self._leave()
        else:
            logger.info(f"No new calls; {self._admission.leased} go on to their end.")
            self._keep(self._drain())

    async def _drain(self) -> None:
        """Leave once the last call is over, or the time for that is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_s):
                while self._supervisor.sessions:  # noqa: ASYNC110 - a quarter of a second will do
                    await asyncio.sleep(0.25)
        self._leave()

    def _leave(self) -> None:
        # First the calls, while the routes still answer: uvicorn waits for those who wait for it.
        self._keep(self._close_and_exit())

    async def _close_and_exit(self) -> None:
        await self._supervisor.close(CLOSING)
        assert self._uvicorn
        self._uvicorn.should_exit = True

    # --- beside the calls -----------------------------------------------------------------------

    async def _measure(self, lag: LoopLag) -> None:
        while True:
            sessions = self._supervisor.sessions
            self.metrics.lagged(lag.report()["loop_lag_s"])
            self.metrics.spares(self._supervisor.spares)
            for session_id, process in sessions.items():
                self.metrics.uses_memory(session_id, process.watch.memory_bytes)
            cpu_s = {
                session_id: process.cpu_s()
                for session_id, process in sessions.items()
                if not session_id.startswith(PREFIX)
            }
            self._meter.measure(cpu_s, seconds=METER_S)
            await self.desk.forget_late()
            await asyncio.sleep(METER_S)

    def _took(self, session_id: str, report: dict[str, Any]) -> None:
        if end := read_end(report):
            self._call_ends[session_id] = end
        self.metrics.took(session_id, report)

    def _on_end(self, session_id: str, what: Ending) -> None:
        if session_id.startswith(PREFIX):
            return  # its room is deleted by who ran it
        self.metrics.ended(session_id, what.reason)
        end = self._call_ends.pop(session_id, None)
        if end and what.reason is Reason.FINISHED:
            what = replace(what, text=end.text, outcome=end.reason)
        self.desk.tell(session_id, what)
        # Kept apart: at the server's end these are waited for, and the rest is cancelled.
        task = asyncio.get_running_loop().create_task(self.desk.forget(session_id))
        self._forgetting.add(task)
        task.add_done_callback(self._forgetting.discard)

    def _keep(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Uvicorn(uvicorn.Server):
    """Uvicorn, whose signals are the server's to handle."""

    def __init__(self, config: uvicorn.Config, server: Server):
        super().__init__(config)
        self._server = server

    @contextlib.contextmanager
    def capture_signals(self):
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._server.stop, number)
        yield

    def stop_listening(self) -> None:
        """Take no more connections, and no more requests on those that there are."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
