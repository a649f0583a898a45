"""Wrong messages said to the parser and the session in this process, at full speed."""

from __future__ import annotations

import collections
import itertools
import json
import re
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field

from bench import right_messages
from bench.wrong_messages import WrongMessages
from understudy.effects import Close, Effect, Job, Result, Send, Speak, Work
from understudy.errors import ProtocolError
from understudy.facts import Seen, Unreadable
from understudy.memory import ResumptionStore
from understudy.messages import ClientMessage
from understudy.session import Session
from understudy.wire import encode, parse

MAX_HANDLES = 200
"""Handles that are kept: soon there are as many, and no more come."""
_MAX_MESSAGES = 40
"""After so many a session is given up, so that more begin."""
_SET_UP_SHARE = 0.75
"""Sessions that are set up before the first wrong message: others hardly get beyond it."""
_RESUMED_SHARE = 0.2
_PATIENT_SHARE = 0.1
"""Sessions in which one message in twenty is wrong, and not two in five: those get further."""
_STEPS_S = (0.02, 0.05, 0.3, 3.0)
_BETWEEN_SESSIONS_S = 5.0
_SPEECH = bytes(24_000)
_SEEN = Seen("camera", 640, 480, 100, (("red", 1.0),))
_CODES = frozenset({1007, 1008, 1009})
_REASON_BYTES = 123
_HISTORY = 12
_MAX_S = 5.0
"""For one message, on a machine that has much else to do; it takes 0.1 ms, 30 ms at the most."""


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

    def close(self, code: int | None, reason: str | None) -> None:
        """Counts an end; what differs from one message to the next is left out of the reason."""
        short = re.sub(r"\d+", "N", (reason or "").split(" at ")[0].split('"')[0])
        self.closes[f"{code} {re.sub('models/.*', 'models/...', short)[:60]}"] += 1


class InProcess:
    """Says wrong things to sessions without a socket.

    Args:
        seed: Of the messages.
        tally: What comes of them is counted here.
    """

    def __init__(self, seed: int, tally: Tally) -> None:
        self._wrong = WrongMessages(seed)
        self._tally = tally
        self._store = ResumptionStore(max_handles=MAX_HANDLES)
        self._handles = itertools.count()
        self._handle = ""
        self._said: collections.deque[str | bytes] = collections.deque(maxlen=_HISTORY)
        self._now_s = 0.0
        parse(right_messages.many_names())

    def say(self, count: int) -> None:
        """Says so many.

        Raises:
            Broken: With what was said last, when anything but a refusal came of it.
        """
        until = self._tally.messages + count
        while self._tally.messages < until:
            self._said.clear()
            session = Session(store=self._store, new_id=self._new_handle, new_number=lambda: 1)
            self._tally.sessions += 1
            try:
                self._lead(session, until)
            except Exception as error:  # whatever it is, it should have been a refusal
                said = "\n".join(repr(message)[:2_000] for message in self._said)
                raise Broken(f"{traceback.format_exc()}\nafter\n{said}") from error
            finally:
                session.end()
            self._now_s += _BETWEEN_SESSIONS_S

    def _new_handle(self) -> str:
        self._handle = f"handle-{next(self._handles)}"
        return self._handle

    def _lead(self, session: Session, until: int) -> None:
        wrong = self._wrong
        if wrong.chance(_SET_UP_SHARE):
            handle = self._handle if wrong.chance(_RESUMED_SHARE) else ""
            if self._say(session, wrong.setup(handle)):
                return
        share = 0.05 if wrong.chance(_PATIENT_SHARE) else 0.4
        for _ in range(_MAX_MESSAGES):
            if self._tally.messages >= until:
                return
            # Right ones in between: most wrong ones end a session, which would else stay young.
            is_wrong = wrong.chance(share)
            self._tally.messages += is_wrong
            self._now_s += wrong.pick(_STEPS_S)
            if self._say(session, wrong.next() if is_wrong else wrong.valid()):
                return

    def _say(self, session: Session, frame: str | bytes) -> bool:
        """Returns whether that was the end of the session."""
        self._said.append(frame)
        begun_s = time.perf_counter()
        is_closed = any(self._take(session, message) for message in _parsed(frame))
        if (took_s := time.perf_counter() - begun_s) > _MAX_S:
            raise Broken(f"a message took {took_s:.1f} s")
        return is_closed

    def _take(self, session: Session, message: ClientMessage | ProtocolError) -> bool:
        if isinstance(message, ProtocolError):
            effects = session.fail(message)
        else:
            effects = session.receive(message, self._now_s)
        is_closed = self._carry_out(session, effects)
        due_s = session.next_due_s
        if not is_closed and due_s is not None and due_s <= self._now_s:
            is_closed = self._carry_out(session, session.tick(self._now_s))
        return is_closed

    def _carry_out(self, session: Session, effects: list[Effect]) -> bool:
        """Checks that effects can be carried out; returns whether the session is closed."""
        for effect in effects:
            match effect:
                case Close(code, reason):
                    check_close(code, reason)
                    self._tally.close(code, reason)
                    return True
                case Send(message):
                    frame = encode(message)
                    if "toolCall" in message:  # what a client declared comes back in it
                        json.loads(frame, parse_constant=_refuse)
                case Work(ticket, job):
                    finished = session.finish(ticket, _done(job), self._now_s)
                    if self._carry_out(session, finished):
                        return True
        return False


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _done(job: Job) -> Result:
    """Does no work, since looking and speaking are libraries' affair."""
    if isinstance(job, Speak):
        return _SPEECH
    return _SEEN if job.data.startswith(b"\xff\xd8") else Unreadable("not a picture")


def _parsed(frame: str | bytes) -> tuple[ClientMessage | ProtocolError, ...]:
    try:
        return parse(frame)
    except ProtocolError as error:
        return (error,)


def check_close(code: int | None, reason: str | None) -> None:
    """Raises unless a close is a refusal that fits into a close frame."""
    if code not in _CODES or not reason or len(reason.encode()) > _REASON_BYTES:
        raise Broken(f"closed with {code} {reason!r}")
