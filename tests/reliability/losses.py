"""What a user loses when the line to the model moves or breaks: nothing.

Each case is a conversation of half a minute, most of it silence: they are held at the same time.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.link import DEGRADED_AFTER_S
from tests.support.conversation import Talk, talk
from tests.support.speech import speech

QUESTION = "What is the weather like in Oslo today, and will it rain tomorrow?"
FRAME_S = 0.02
AT_ONCE = {"at": "clock", "after_ms": 1}


@dataclass(kw_only=True)
class Loss:
    """What one case cost.

    Parameters:
        case: What happened to the line.
        question_s: How much of a spoken question the model hears when nothing happens.
        heard_s: How much it heard of it.
        down_s: For how long there was no connection.
        gap_s: The longest silence in an answer beyond what it has when nothing happens; None where
            no answer was under way.
        states: What the page was told of the link, in this order.
        problems: What else was wrong.
    """

    case: str
    question_s: float = 0.0
    heard_s: float = 0.0
    down_s: float = 0.0
    gap_s: float | None = None
    states: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def lost_ms(self) -> int:
        """How much was lost, in whole frames of 20 ms."""
        return max(round((self.question_s - self.heard_s) / FRAME_S), 0) * 20

    def expect(self, is_so: bool, otherwise: str) -> None:
        """Take down what is not as it should be."""
        if not is_so:
            self.problems.append(otherwise)


def _latest(conversation: Talk) -> str:
    return conversation.events("setup")[-1]["session"]


async def _greeted(conversation: Talk) -> None:
    await conversation.until(lambda: conversation.transport.heard, within_s=15)
    await conversation.until_quiet()


async def _ask_aloud(conversation: Talk, *, then: Callable[[], None] | None = None) -> float:
    """Speaks the question, does something in its middle, and returns how much of it was heard."""
    answered = len(conversation.events("activity_end"))
    conversation.say(speech(QUESTION))
    if then is not None:
        await asyncio.sleep(1.5)
        then()
    await conversation.until(
        lambda: len(conversation.events("activity_end")) > answered, within_s=20
    )
    heard_from_s = time.monotonic()
    await conversation.until(
        lambda: conversation.transport.heard[-1][0] > heard_from_s, within_s=10
    )
    await conversation.until_quiet()
    return conversation.events("activity_end")[-1]["speech_s"]


def _down_s(conversation: Talk) -> float:
    times = [(at_s, data["state"]) for at_s, data in conversation.notices("link")]
    went_s = next(at_s for at_s, state in times if state == "resuming")
    return next(at_s for at_s, state in times if state == "ready" and at_s > went_s) - went_s


def _refuse(conversation: Talk, *, times: int) -> None:
    """Refuses redials; no chance in their pauses: two last 2.25 s, three 5.25, degraded is after 3."""
    conversation.service._link._spread = lambda: 0.5
    conversation.understudy.inject("refuse-503", moment={"at": "connect", "times": times})


def _drop(conversation: Talk) -> None:
    conversation.understudy.inject("rst", session=_latest(conversation))


def _go_away(conversation: Talk, *, left_s: float) -> None:
    parameters = {"left_s": left_s}
    session = _latest(conversation)
    conversation.understudy.inject("goaway", parameters=parameters, session=session, moment=AT_ONCE)


async def _a_question(
    loss: Loss, conversation: Talk, *, strike: Callable[[Talk], None], states: list[str]
) -> None:
    """Somebody asks something, and in the middle of it something happens to the line."""
    await _greeted(conversation)
    loss.question_s = await _ask_aloud(conversation)
    told = len(conversation.states)
    loss.heard_s = await _ask_aloud(conversation, then=lambda: strike(conversation))
    await conversation.until(lambda: conversation.states[-1] == "ready", within_s=10)
    loss.states = conversation.states[told:]
    down_s = _down_s(conversation)
    if down_s > DEGRADED_AFTER_S and "degraded" not in states:
        # The two pauses are 2.25 s; what a busy machine adds to them is a longer gap, and told.
        states = [states[0], "degraded", *states[1:]]
    loss.expect(loss.states == states, f"the page was told {loss.states} in {down_s:.1f} s")
    words = [turn["text"] for turn in conversation.turns if turn["side"] == "user"]
    loss.expect(len(words) == 2, "something is in the turn log twice, or not")
    if "reseeding" in states:
        seed = conversation.events("content")[-1]
        loss.expect(seed["turns"] > 1, "the new session was not told what was said before")


async def _count_gap_s(conversation: Talk, since_s: float) -> tuple[float, float]:
    """The longest silence in what is counted, and what the busy loop of a test may add to it."""
    late_s = 0.0
    counted = asyncio.create_task(conversation.until_quiet(for_s=1.5))
    while not counted.done():
        before_s = time.monotonic()
        await asyncio.sleep(FRAME_S)
        late_s = max(late_s, time.monotonic() - before_s - FRAME_S)
    await counted
    return conversation.gaps_s(since_s)[0], late_s


async def _an_answer(loss: Loss, conversation: Talk) -> None:
    """The bot speaks when a goAway comes; the line moves after its turn."""
    await _greeted(conversation)
    gaps_s = []
    for is_struck in (False, True):
        before, asked_s = len(conversation.transport.heard), time.monotonic()
        await conversation.type("count to 12")
        await conversation.until(lambda n=before: len(conversation.transport.heard) > n + 20)
        if is_struck:
            _go_away(conversation, left_s=50)
            await conversation.until(lambda: conversation.states[-1] == "draining")
        gaps_s.append(await _count_gap_s(conversation, asked_s + 1))
    await conversation.until(lambda: conversation.states[-1] == "ready", within_s=5)
    loss.states = conversation.states[-3:]
    loss.expect(loss.states == ["draining", "resuming", "ready"], f"it was told {loss.states}")
    (usual_s, _), (struck_s, late_s) = gaps_s
    loss.gap_s = max(struck_s - late_s - usual_s, 0.0)
    bots = [turn["text"].strip() for turn in conversation.turns if turn["side"] == "bot"]
    loss.expect(bots[-1].endswith("12."), f"the answer ends with {bots[-1][-10:]!r}")


async def _an_answer_without_time(loss: Loss, conversation: Talk) -> None:
    """A goAway that leaves two seconds: the answer is cut in the middle, and goes on."""
    await _greeted(conversation)
    await conversation.type("count to 40")
    await conversation.until(lambda: conversation.events("answer")[-1]["why"] == "count")
    await asyncio.sleep(1.5)
    _go_away(conversation, left_s=2)
    await conversation.until(lambda: len(conversation.events("setup")) == 2)
    answers = len(conversation.events("answer"))
    await conversation.until(lambda: conversation.states[-1] == "ready", within_s=5)
    await conversation.until(lambda: len(conversation.events("answer")) >= answers)
    loss.states = conversation.states[-3:]


def _question(
    *states: str, strike: Callable[[Talk], None], failed_redials: int = 0, fault: str = ""
) -> Callable[[Loss, Talk], Coroutine[Any, Any, None]]:
    def all_of_it(conversation: Talk) -> None:
        if fault:
            conversation.understudy.inject(fault)
        if failed_redials:
            _refuse(conversation, times=failed_redials)
        strike(conversation)

    return partial(_a_question, strike=all_of_it, states=list(states))


CASES: dict[str, Callable[[Loss, Talk], Coroutine[Any, Any, None]]] = {
    "a drop while the user speaks": _question("resuming", "ready", strike=_drop),
    "a drop with two failed redials": _question(
        "resuming", "ready", strike=_drop, failed_redials=2
    ),
    "a drop with three failed redials": _question(
        "resuming", "degraded", "ready", strike=_drop, failed_redials=3
    ),
    "a drop, and the handle is stale": _question(
        "resuming", "reseeding", "ready", strike=_drop, fault="resume-refused"
    ),
    "a goAway while the user speaks": _question(
        "draining", "resuming", "ready", strike=partial(_go_away, left_s=50)
    ),
    "a goAway while the bot speaks": _an_answer,
    "a goAway that leaves 2 s": _an_answer_without_time,
}


async def measure() -> list[Loss]:
    """Holds all of these conversations.

    Returns:
        What each of them cost.
    """
    await asyncio.to_thread(speech, QUESTION)
    losses = [Loss(case=case) for case in CASES]
    with tempfile.TemporaryDirectory() as folder:
        folders = (Path(folder, str(number)) for number in itertools.count())
        pairs = zip(losses, CASES.values(), folders, strict=False)
        await asyncio.gather(*(_hold(*each) for each in pairs))
    return losses


async def _hold(
    loss: Loss, case: Callable[[Loss, Talk], Coroutine[Any, Any, None]], folder: Path
) -> None:
    try:
        async with talk(folder) as conversation:
            await case(loss, conversation)
            loss.down_s = _down_s(conversation)
    except Exception as error:  # whatever happens is this case's result
        loss.problems.append(f"{type(error).__name__}: {error}")
