"""What a caller says when, whatever the line; what comes of it is worked out later."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from bench.media.heard import Heard, Row

_QUIET_S = 0.6
_PATIENCE_S = 8.0
_POLL_S = 0.02
_NO_ANSWER_S = 0.9
"""The understudy waits for 0.5 s of silence, and then 0.57 s."""
INTERRUPTS_AFTER_S = 0.7


class Caller(Protocol):
    """Somebody on a line.

    Attributes:
        heard: What was heard so far.
        offer_s: When they asked to be connected.
    """

    heard: Heard
    offer_s: float

    @property
    def late_ms(self) -> list[float]:
        """By how much each of their pieces of sound was late in leaving."""
        ...

    async def begin(self) -> None:
        """Calls."""
        ...

    async def say(self, *, loses_one: bool = False) -> tuple[float, float]:
        """Says the question; returns when its first and its last sample had been sent."""
        ...

    async def end(self) -> None:
        """Hangs up."""
        ...


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that was asked.

    Attributes:
        first_s: When the packet with its first sample was sent.
        last_s: When the packet with its last sample was sent.
        interrupts: Whether it was asked while an answer was heard.
        counts: Whether it is no rehearsal.
        since_loss_s: How long ago the one packet was lost; None: none was.
    """

    first_s: float
    last_s: float
    interrupts: bool = False
    counts: bool = True
    since_loss_s: float | None = None


@dataclass(kw_only=True)
class Call:
    """What one caller noted down; times in monotonic seconds."""

    offer_s: float = 0.0
    begun_s: float = 0.0
    ended_s: float = 0.0
    questions: list[Question] = field(default_factory=list)
    heard: list[Row] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """What `read` takes."""
        return asdict(self)

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Call:
        """A call that was written down."""
        questions = [Question(**question) for question in fields["questions"]]
        rows = [tuple(row) for row in fields["heard"]]
        return cls(**{**fields, "questions": questions, "heard": rows})


@dataclass(frozen=True, kw_only=True)
class Talk:
    """What is to be talked about.

    Attributes:
        turns: Questions that wait for the answer before.
        barge_ins: Questions that do not.
        loses_one: Whether the line loses one packet during the second of the turns.
    """

    turns: int
    barge_ins: int
    loses_one: bool = False


async def converse(caller: Caller, talk: Talk) -> Call:
    """Has a caller ask, wait, listen and interrupt.

    The first question is a rehearsal: some have been greeted before and some have not, and the
    first answer of a process is a slow one.
    """
    call = Call(offer_s=caller.offer_s)
    await _quiet(caller)
    call.begun_s = time.monotonic()
    lost_s: float | None = None
    for number in range(-1, talk.turns):
        loses = talk.loses_one and number == 1
        first_s, last_s = await caller.say(loses_one=loses)
        lost_s = first_s if loses else lost_s
        since_s = last_s - lost_s if lost_s else None
        call.questions.append(
            Question(first_s=first_s, last_s=last_s, counts=number >= 0, since_loss_s=since_s)
        )
        await _answer(caller, last_s)
        await _quiet(caller)
    for _ in range(talk.barge_ins):
        first_s, last_s = await caller.say()
        call.questions.append(Question(first_s=first_s, last_s=last_s, counts=False))
        if await _answer(caller, last_s):
            await asyncio.sleep(INTERRUPTS_AFTER_S)
            first_s, last_s = await caller.say()
            call.questions.append(
                Question(first_s=first_s, last_s=last_s, counts=False, interrupts=True)
            )
            await _answer(caller, last_s + _NO_ANSWER_S)  # not the old one, if it goes on
        await _quiet(caller)
    call.ended_s = time.monotonic()
    call.heard, call.late_ms = caller.heard.rows, caller.late_ms
    return call


async def _answer(caller: Caller, since_s: float) -> bool:
    """Waits until an answer is heard; False when none is."""
    until_s = since_s + _PATIENCE_S
    while (now_s := time.monotonic()) < until_s:
        if caller.heard.is_loud_since(since_s, now_s):
            return True
        await asyncio.sleep(_POLL_S)
    return False


async def _quiet(caller: Caller) -> None:
    """Waits until nothing has been heard for a while."""
    until_s = time.monotonic() + _PATIENCE_S
    while (now_s := time.monotonic()) < until_s:
        if not caller.heard.is_loud_since(now_s - _QUIET_S, now_s):
            return
        await asyncio.sleep(_POLL_S)
