"""A million wrong messages: the understudy may refuse them and close, and nothing else.

Most are said to the parser and the session in this process, at full speed; one in a hundred to an
understudy in a process of its own, over TLS. Whatever a session does beside taking a message or
closing with a reason fails the run, and so does memory, a task or a file that stays behind.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import gc
import itertools
import json
import secrets
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bench.running import SETUP, Running, understudy
from bench.wrong_messages import WrongMessages
from understudy.effects import Close, Effect, Job, Result, Send, Speak, Work
from understudy.errors import ProtocolError
from understudy.facts import Unreadable
from understudy.memory import ResumptionStore
from understudy.messages import ClientMessage
from understudy.session import Session
from understudy.wire import encode, parse

DEFAULT_COUNT = 1_000_000
_SOCKET_SHARE = 100
"""One in so many messages goes over a socket."""
_SOCKETS = 16
_MAX_MESSAGES = 40
"""After so many a session is given up, so that more begin."""
_SET_UP_SHARE = 0.75
"""Sessions that are set up before the first wrong message: others hardly get beyond it."""
_WRONG_SHARE = 0.4
_SESSION_EVERY_S = 5.0
"""On the sessions' clock, so that resumption handles expire."""
_SPEECH = bytes(24_000)
_CODES = frozenset({1007, 1008, 1009})
_REASON_BYTES = 123
_CLOSED_BY_US = 1000
_HISTORY = 12
_WARM_UP = 20_000
_GROWTH_BYTES = 8_000_000
"""What memory may grow by between the warm-up and the end; +22 MB was once seen, not yet explained."""
_SERVER_GROWTH_BYTES = 60_000_000
"""Of an understudy, which remembers its last 100,000 events and 40 MB of speech; +61 MB was once seen
after 2,000 messages, and it is not shown yet where it levels off."""
_SETTLE_S = 20
_PAUSE_S = 0.002
_REPORTED_EVERY = 100_000


class Broken(Exception):
    """The understudy did what it never should."""


@dataclass
class Tally:
    """What has come of the messages.

    Attributes:
        messages: How many wrong ones have been said.
        sessions: To how many sessions.
        closes: How they ended, by close code and reason.
    """

    messages: int = 0
    sessions: int = 0
    closes: Counter[str] = field(default_factory=Counter)


class InProcess:
    """Says wrong things to sessions without a socket.

    Args:
        seed: Of the messages.
        tally: What comes of them is counted here.
    """

    def __init__(self, seed: int, tally: Tally) -> None:
        self._wrong = WrongMessages(seed)
        self._tally = tally
        self._store = ResumptionStore()
        self._ids = (f"handle-{number}" for number in itertools.count())
        self._said: collections.deque[str | bytes] = collections.deque(maxlen=_HISTORY)
        self._set_ups = 0.0

    def say(self, count: int) -> None:
        """Says so many.

        Raises:
            Broken: With what was said last, when anything but a refusal came of it.
        """
        until = self._tally.messages + count
        while self._tally.messages < until:
            self._said.clear()
            try:
                self._one_session(until)
            except Exception as error:  # whatever it is, it should have been a refusal
                said = "\n".join(repr(message)[:2_000] for message in self._said)
                raise Broken(f"{traceback.format_exc()}\nafter\n{said}") from error

    def _one_session(self, until: int) -> None:
        session = Session(store=self._store, new_id=lambda: next(self._ids))
        self._tally.sessions += 1
        now_s = self._tally.sessions * _SESSION_EVERY_S
        self._set_ups += _SET_UP_SHARE
        if self._set_ups >= 1:
            self._set_ups -= 1
            for message in parse(SETUP):
                self._carry_out(session, session.receive(message, now_s), now_s)
        for _ in range(_MAX_MESSAGES):
            if self._tally.messages >= until:
                return
            # Right ones in between: most wrong ones end a session, which would else stay young.
            is_wrong = self._wrong.chance(_WRONG_SHARE)
            frame = self._wrong.next() if is_wrong else self._wrong.valid()
            self._said.append(frame)
            self._tally.messages += is_wrong
            now_s += 0.05
            for message in _parsed(frame):
                if self._take(session, message, now_s):
                    return

    def _take(self, session: Session, message: ClientMessage | ProtocolError, now_s: float) -> bool:
        if isinstance(message, ProtocolError):
            effects = session.fail(message)
        else:
            effects = session.receive(message, now_s)
        is_closed = self._carry_out(session, effects, now_s)
        if not is_closed and session.next_due_s is not None and session.next_due_s <= now_s:
            is_closed = self._carry_out(session, session.tick(now_s), now_s)
        return is_closed

    def _carry_out(self, session: Session, effects: list[Effect], now_s: float) -> bool:
        """Checks that effects can be carried out; returns whether the session is closed."""
        for effect in effects:
            match effect:
                case Close(code, reason):
                    check_close(code, reason)
                    self._tally.closes[f"{code} {_short(reason)}"] += 1
                    return True
                case Send(message):
                    encode(message)
                case Work(ticket, job):
                    finished = session.finish(ticket, _done(job), now_s)
                    if self._carry_out(session, finished, now_s):
                        return True
        return False


def _done(job: Job) -> Result:
    """Does no work, since looking and speaking are libraries' affair."""
    return _SPEECH if isinstance(job, Speak) else Unreadable("not a picture")


def _parsed(frame: str | bytes) -> tuple[ClientMessage | ProtocolError, ...]:
    try:
        return parse(frame)
    except ProtocolError as error:
        return (error,)


def check_close(code: int | None, reason: str | None) -> None:
    """Raises unless a close is a refusal that fits into a close frame."""
    if code not in _CODES or not reason or len(reason.encode()) > _REASON_BYTES:
        raise Broken(f"closed with {code} {reason!r}")


def _short(reason: str) -> str:
    return reason.split(" at ")[0].split('"')[0][:60]


async def over_sockets(running: Running, *, seed: int, count: int, tally: Tally) -> None:
    """Says wrong things over many connections at a time.

    Raises:
        Broken: When a session ended otherwise than by a refusal.
    """
    wrong = WrongMessages(seed)
    until = tally.messages + count
    async with asyncio.TaskGroup() as tasks:
        for _ in range(_SOCKETS):
            tasks.create_task(_call(running, wrong, until, tally))


async def _call(running: Running, wrong: WrongMessages, until: int, tally: Tally) -> None:
    while tally.messages < until:
        tally.sessions += 1
        said: list[str | bytes] = []
        async with connect(
            running.url, ssl=running.trust, compression=None, max_queue=None, close_timeout=5
        ) as socket:
            with contextlib.suppress(ConnectionClosed):
                if tally.sessions % 4:
                    await socket.send(SETUP)
                for _ in range(_MAX_MESSAGES):
                    tally.messages += 1
                    said.append(wrong.next())
                    await socket.send(_sendable(said[-1]), text=tally.messages % 2 == 0)
                    # Without it everything would be sent before the first refusal is there.
                    await asyncio.sleep(_PAUSE_S)
        code, reason = socket.close_code, socket.close_reason
        tally.closes[f"{code} {_short(reason or '')}"] += 1
        if code != _CLOSED_BY_US:
            try:
                check_close(code, reason)
            except Broken as error:
                last = "\n".join(repr(message)[:2_000] for message in said[-_HISTORY:])
                raise Broken(f"{error}, after\n{last}") from None


def _sendable(frame: str | bytes) -> bytes:
    return frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass")


async def _is_well(running: Running) -> None:
    """Raises unless a session can still be set up and says something."""
    async with asyncio.timeout(_SETTLE_S):
        async with connect(running.url, ssl=running.trust, compression=None) as socket:
            await socket.send(SETUP)
            await socket.send(json.dumps({"realtimeInput": {"text": "Are you well?"}}))
            while b"inlineData" not in await socket.recv(decode=False):
                pass


@dataclass(frozen=True)
class Holdings:
    """What a process holds on to."""

    memory_bytes: int
    files: int
    threads: int

    @classmethod
    def of(cls, process: psutil.Process) -> Holdings:
        """Returns what a process holds on to now."""
        return cls(process.memory_full_info().uss, process.num_fds(), process.num_threads())

    def check_since(self, before: Holdings, whose: str, *, growth_bytes: int) -> str:
        """Returns by how much they have grown, or raises if that is too much."""
        grown = self.memory_bytes - before.memory_bytes
        said = (
            f"{whose}: memory {grown / 1e6:+.1f} MB, files {before.files} -> {self.files}, "
            f"threads {before.threads} -> {self.threads}"
        )
        if grown > growth_bytes or self.files > before.files or self.threads > before.threads:
            raise Broken(f"something stays behind. {said}")
        return said


async def _settled(running: Running, before: Holdings) -> Holdings:
    """Waits until the files are back to what they were; sessions take a moment to end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SETTLE_S):
            while running.process.num_fds() > before.files:  # noqa: ASYNC110 - it says nothing
                await asyncio.sleep(0.1)
    return Holdings.of(running.process)


def fuzz_in_process(seed: int, count: int) -> None:
    """Says so many wrong things to the parser and the session.

    Raises:
        Broken: Something else than refusals came of it.
    """
    tally = Tally()
    said = InProcess(seed, tally)
    said.say(min(_WARM_UP, count))
    gc.collect()
    before = Holdings.of(psutil.Process())
    begun, begun_s = tally.messages, time.perf_counter()
    while (left := count - tally.messages) > 0:
        said.say(min(_REPORTED_EVERY, left))
        rate = (tally.messages - begun) / (time.perf_counter() - begun_s)
        print(f"  {tally.messages} messages, {rate:.0f} a second", flush=True)
    gc.collect()
    print(
        Holdings.of(psutil.Process()).check_since(
            before, "this process", growth_bytes=_GROWTH_BYTES
        )
    )
    _print_tally(tally)


async def fuzz_over_sockets(seed: int, count: int) -> None:
    """Says so many wrong things to an understudy over TLS.

    Raises:
        Broken: It ended, it closed without a refusal, or something stayed behind.
    """
    with tempfile.TemporaryDirectory() as directory:
        record = Path(directory, "record.jsonl")
        with understudy(record=record) as running:
            await _is_well(running)
            await over_sockets(running, seed=seed, count=max(count // 10, _SOCKETS), tally=Tally())
            await _is_well(running)
            before = await _settled(running, Holdings.of(running.process))
            tally, begun_s = Tally(), time.perf_counter()
            await over_sockets(running, seed=seed + 1, count=count, tally=tally)
            rate = tally.messages / (time.perf_counter() - begun_s)
            await _is_well(running)
            after = await _settled(running, before)
            print(f"  {tally.messages} messages, {rate:.0f} a second")
            print(after.check_since(before, "the understudy", growth_bytes=_SERVER_GROWTH_BYTES))
        _check_record(record)
    _print_tally(tally)


def _check_record(path: Path) -> None:
    """Raises unless every session has ended; its last word is recorded when its task has."""
    with path.open() as lines:
        events = Counter(json.loads(line)["event"] for line in lines)
    if events["connected"] != events["closed"]:
        raise Broken(f"{events['connected']} sessions began, {events['closed']} ended")


def _print_tally(tally: Tally) -> None:
    print(f"{tally.messages} messages to {tally.sessions} sessions, which ended with")
    for how, number in tally.closes.most_common(12):
        print(f"  {number:8d}  {how}")


def main() -> int:
    """Runs both parts.

    Returns:
        0, or 1 when the understudy did what it never should.
    """
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help="how many messages")
    parser.add_argument("--seed", type=int, help="the same seed says the same; default: a new one")
    options = parser.parse_args()
    seed = secrets.randbits(32) if options.seed is None else options.seed
    print(f"seed {seed}; again with --seed {seed} --count {options.count}", flush=True)
    failures: list[str] = []
    try:
        fuzz_in_process(seed, options.count)
        print("over TLS", flush=True)
        uvloop.run(fuzz_over_sockets(seed, options.count // _SOCKET_SHARE))
    except* Broken as broken:
        failures += map(str, broken.exceptions)
    for failure in failures:
        print(f"fuzz: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
