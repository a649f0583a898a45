"""One WebSocket and its session: reads, waits, carries out effects. No decisions here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from understudy.acts import Act, BlackHole, Pongs, Raw, Reset
from understudy.breakable import BreakableConnection
from understudy.capture import Capture
from understudy.director import Director
from understudy.effects import Close, Job, Note, Result, Send, Work
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
_INBOX = 16
_MAX_JOBS = 8
"""Work of one session under way at most; a client that floods has to wait."""


@dataclass(frozen=True, slots=True)
class _Said:
    message: ClientMessage


@dataclass(frozen=True, slots=True)
class _Broke:
    error: ProtocolError


@dataclass(frozen=True, slots=True)
class _Done:
    ticket: int
    result: Result


class _Gone:
    """The client has closed the connection or lost it."""


class _Woken:
    """A fault was switched on."""


_Event = _Said | _Broke | _Done | _Gone | _Woken


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
        self._inbox: asyncio.Queue[_Event] = asyncio.Queue(_INBOX)
        self._jobs = asyncio.Semaphore(_MAX_JOBS)
        self._is_open = True
        self._tasks: set[asyncio.Task[None]] = set()

    def inject(self, rule: Rule) -> None:
        """Switches a fault on, at once."""
        self._director.add(rule)
        if not self._inbox.full():
            self._inbox.put_nowait(_Woken())

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
            self._session.end()

    async def _serve(self, tasks: asyncio.TaskGroup) -> None:
        self._begin(tasks, self._read(), name="understudy-read")
        session, clock, director = self._session, self._clock, self._director
        while self._is_open:
            match await self._next_event():
                case None | _Woken():
                    effects = session.tick(clock())
                case _Said(message):
                    heard = director.hear(message, clock())
                    effects: Sequence[Act] = [
                        effect for part in heard for effect in session.receive(part, clock())
                    ]
                case _Broke(error):
                    effects = session.fail(error)
                case _Done(ticket, result):
                    effects = session.finish(ticket, result, clock())
                case _Gone():
                    return
            for act in director.direct(effects, clock()):
                await self._carry_out(act, tasks)

    async def _next_event(self) -> _Event | None:
        """Returns what happens next, or None when something is due first."""
        planned = (self._session.next_due_s, self._director.next_due_s)
        due_s = min((time for time in planned if time is not None), default=None)
        wait_s = None if due_s is None else due_s - self._clock()
        if wait_s is not None and wait_s <= 0:
            return None
        if not self._inbox.empty():
            return self._inbox.get_nowait()
        try:
            async with asyncio.timeout(wait_s):
                return await self._inbox.get()
        except TimeoutError:
            return None

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
        await self._inbox.put(_Done(ticket, result))

    async def _read(self) -> None:
        """Puts everything the client says into the inbox."""
        try:
            async for frame in self._websocket:
                if self._capture is not None:
                    self._capture.message("client", frame)
                async for event in self._understand(frame):
                    await self._inbox.put(event)
                async with self._jobs:
                    pass  # as many pictures as we look at at a time are waiting: let them finish
        except ConnectionClosed:
            _logger.debug("the connection was lost")
        await self._inbox.put(_Gone())

    async def _understand(self, frame: str | bytes) -> AsyncIterator[_Event]:
        try:
            if len(frame) > _LONG_MESSAGE:
                messages = await self._workers.call(parse, frame)
            else:
                messages = parse(frame)
        except ProtocolError as error:
            yield _Broke(error.with_traceback(None))  # which would hold this connection
            return
        for message in messages:
            for part in _slices(message):
                yield _Said(part)


def _slices(message: ClientMessage) -> Iterator[ClientMessage]:
    """Cuts long audio into pieces between which other sessions get their turn."""
    if not isinstance(message, RealtimeMedia) or not message.blob.mime_type.startswith("audio/"):
        yield message
        return
    data = message.blob.data
    for start in range(0, max(len(data), 1), _AUDIO_SLICE_BYTES):
        blob = Blob(data[start : start + _AUDIO_SLICE_BYTES], message.blob.mime_type)
        yield RealtimeMedia(message.field, blob)
