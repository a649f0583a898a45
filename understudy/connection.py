"""One WebSocket and its session: reads, waits, carries out effects. No decisions here."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from understudy.acts import Act, BlackHole, Pongs, Raw, Reset
from understudy.breakable import BreakableConnection
from understudy.capture import Capture
from understudy.director import Director
from understudy.effects import Close, Job, Note, Send, Work
from understudy.errors import ProtocolError
from understudy.messages import Blob, ClientMessage, RealtimeMedia
from understudy.rules import Rule
from understudy.wire import encode, parse
from understudy.work import Workers

if TYPE_CHECKING:
    from understudy.replay import Replay
    from understudy.session import Session

_logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""The JSON parser holds the interpreter lock for a whole message, 1 ms per MiB."""
_LONG_MESSAGE = 256 * 1024
"""Longer messages are parsed in a thread: base64 takes 6 ms per MiB."""
_AUDIO_SLICE_BYTES = 128_000
"""Hearing 4 s of 16 kHz audio takes 3 ms; longer audio is heard in slices."""
_TIMER_ROUNDING_S = 0.0005
"""uvloop's timers are rounded to the millisecond: one that rings early would have to ring again."""
_MAX_ACTS = 64
"""What waits to be sent at most; a client that says more and reads nothing is not read either."""
_MAX_JOBS = 8
"""Work of one session under way at most; a client that floods has to wait."""


class Connection:
    """Runs a session over a WebSocket.

    Args:
        websocket: The open connection.
        session: The state machine.
        workers: Who does the session's work.
        clock: Monotonic seconds.
        note: Takes the events to record.
        director: Says what really happens.
        capture: Takes every message; None for none.
        sends_text: Whether messages go out as text frames; the real service's are binary.
    """

    def __init__(
        self,
        websocket: BreakableConnection,
        session: Session | Replay,
        *,
        workers: Workers,
        clock: Callable[[], float],
        note: Callable[[str, Mapping[str, Any]], None],
        director: Director,
        capture: Capture | None = None,
        sends_text: bool = False,
    ) -> None:
        self._websocket = websocket
        self._session = session
        self._workers = workers
        self._clock = clock
        self._note = note
        self._director = director
        self._capture = capture
        self._sends_text = sends_text
        self._acts: deque[Act] = deque()
        self._woken = asyncio.Event()
        self._has_room = asyncio.Event()
        self._jobs = asyncio.Semaphore(_MAX_JOBS)
        self._is_open = True
        self._is_due = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_s: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def inject(self, rule: Rule) -> None:
        """Switches a fault on, at once."""
        self._director.add(rule)
        self._ring()

    async def run(self) -> None:
        """Serves the client until either side closes."""
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._serve(tasks)
                except ConnectionClosed:
                    _logger.debug("the connection was lost")
                # Not by an exception: the group's (CPython 3.11) holds its frame and so all this.
                for task in self._tasks:
                    task.cancel()
        finally:
            self._set_alarm(None)
            self._session.end()

    async def _serve(self, tasks: asyncio.TaskGroup) -> None:
        """Carries out what is to be done, as it comes, until the client is gone."""
        reading = self._begin(tasks, self._read(), name="understudy-read")
        reading.add_done_callback(lambda _: self._woken.set())
        while self._is_open:
            if self._acts:
                await self._carry_out(self._acts.popleft(), tasks)
                continue
            self._has_room.set()
            if reading.done():
                return
            if self._is_due:
                self._is_due = False
                self._plan(self._session.tick(self._clock()))
                continue
            self._woken.clear()
            await self._woken.wait()

    def _plan(self, effects: Sequence[Act]) -> None:
        """Has what is to be done now done, and sees to what is due later."""
        for act in self._director.direct(effects, self._clock()):
            if isinstance(act, Note) and not self._acts:
                self._note(act.event, act.fields)  # most of what is heard has no other effect
            else:
                self._acts.append(act)
        if self._acts:
            self._woken.set()
        planned = (self._session.next_due_s, self._director.next_due_s)
        self._set_alarm(min((time for time in planned if time is not None), default=None))

    def _set_alarm(self, due_s: float | None) -> None:
        if due_s == self._alarm_s:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_s = None, due_s
        if due_s is not None:
            delay_s = due_s - self._clock() + _TIMER_ROUNDING_S
            self._alarm = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        self._alarm, self._alarm_s = None, None
        self._is_due = True
        self._woken.set()

    async def _carry_out(self, act: Act, tasks: asyncio.TaskGroup) -> None:
        match act:
            case Send(message):
                await self._send(encode(message), text=self._sends_text)
            case Raw(data):
                await self._send(data)
            case Note(event, fields):
                self._note(event, fields)
            case Work(ticket, job):
                self._begin(tasks, self._work(ticket, job), name="understudy-work")
            case Close(code, reason):
                self._is_open = False
                await self._websocket.close(code, reason)
            case Reset():
                self._is_open = False
                self._websocket.reset()
            case BlackHole():
                self._websocket.fall_silent()
            case Pongs(delay_s):
                self._websocket.delay_pongs(delay_s)

    async def _send(self, frame: str | bytes, *, text: bool | None = None) -> None:
        if self._capture is not None:
            self._capture.message("server", frame)
        await self._websocket.send(frame, text=text)

    def _begin(
        self, tasks: asyncio.TaskGroup, doing: Coroutine[Any, Any, None], *, name: str
    ) -> asyncio.Task[None]:
        """Begins something that ends with the connection."""
        task = tasks.create_task(doing, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _work(self, ticket: int, job: Job) -> None:
        async with self._jobs:
            result = await self._workers.run(job)
        self._plan(self._session.finish(ticket, result, self._clock()))

    async def _read(self) -> None:
        """Takes in everything the client says."""
        try:
            async for frame in self._websocket:
                if self._capture is not None:
                    self._capture.message("client", frame)
                await self._understand(frame)
                if self._jobs.locked():
                    async with self._jobs:
                        pass  # as many pictures as we look at at a time: let them finish
        except ConnectionClosed:
            _logger.debug("the connection was lost")

    async def _understand(self, frame: str | bytes) -> None:
        try:
            if len(frame) > _LONG_MESSAGE:
                messages = await self._workers.call(parse, frame)
            else:
                messages = parse(frame)
        except ProtocolError as error:
            self._plan(self._session.fail(error))
            return
        for message in messages:
            if len(frame) <= _AUDIO_SLICE_BYTES:
                await self._hear(message)
                continue
            for part in _slices(message):
                await self._hear(part)
                await asyncio.sleep(0)

    async def _hear(self, message: ClientMessage) -> None:
        if len(self._acts) >= _MAX_ACTS:
            self._has_room.clear()
            await self._has_room.wait()
        heard = self._director.hear(message, self._clock())
        session = self._session
        self._plan([act for part in heard for act in session.receive(part, self._clock())])


def _slices(message: ClientMessage) -> Iterator[ClientMessage]:
    """Cuts long audio into pieces between which other sessions get their turn."""
    if not isinstance(message, RealtimeMedia) or not message.blob.mime_type.startswith("audio/"):
        yield message
        return
    data = message.blob.data
    for start in range(0, max(len(data), 1), _AUDIO_SLICE_BYTES):
        blob = Blob(data[start : start + _AUDIO_SLICE_BYTES], message.blob.mime_type)
        yield RealtimeMedia(message.field, blob)
