"""Every fault of the understudy in every state of a conversation, and what the user notices of it."""

import asyncio
import contextlib
import dataclasses
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from pipecat.services.llm_service import FunctionCallParams

from tests.support.conversation import Talk, talk
from tests.support.speech import speech
from understudy.faults import FAULTS
from understudy.faults.base import Ending, Refusal
from understudy.moments import Place

TOLD_S = 2.0
_THINKING_S = 1.2
"""What an answer takes when nothing is wrong, with room for a busy machine."""
_PROBES = ("is all well", "are things well")
"""What is asked after the fault; a second time, if the model had nothing to say to the first."""
_LATE_S = 4.0
_SILENT = "The model had nothing to say to that."
_QUESTION = "How are you today and what will you do tomorrow?"
_SCENARIO = """
answers:
  - say: I have found it.
    returned: look_up
  - say: All is well.
    contains: [well]
  - say: One, two, three, four, five, six, seven, eight.
    contains: [count]
  - say: I hear you.
"""
PERMANENT = {
    *("access-denied", "api-disabled", "credits", "key-expired", "key-not-found"),
    *("key-not-valid", "quota", "refuse-403", "refuse-429", "search-quota", "unregistered-caller"),
}
"""Faults that no new connection can mend: they end the conversation, in words."""
_FROM_THE_START = ("resume-fails-after-1011", "resume-fails-after-video")
"""Faults that have to see the handles go out which they spoil."""
_AT_ONCE = {"at": "clock", "after_ms": 1}


class State(StrEnum):
    """What goes on when the fault strikes."""

    IDLE = "idle"
    USER_SPEAKS = "user speaking"
    BOT_SPEAKS = "bot speaking"
    TOOL_RUNS = "tool running"


class Outcome(StrEnum):
    """What the user notices."""

    UNNOTICED = "unnoticed"
    TOLD = "told, goes on"
    ENDED = "ended in words"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Cell:
    """What became of one fault in one state.

    Parameters:
        fault: Its name.
        state: What went on.
        outcome: What the user noticed.
        why: What was wrong; "" if nothing was.
        told: What the user was told after the fault struck.
    """

    fault: str
    state: State
    outcome: Outcome
    why: str = ""
    told: tuple[str, ...] = ()


class _Tool:
    """A function that takes a while and counts how often it was run."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0

    def as_function(self) -> Callable[..., Any]:
        async def look_up(params: FunctionCallParams, what: str) -> None:
            """Look something up.

            Args:
                params: The call.
                what: What to look up.
            """
            self.begun += 1
            await asyncio.sleep(1.2)
            self.ended += 1
            await params.result_callback({"found": what})

        return look_up


async def run_cell(fault: str, state: State) -> Cell:
    """Holds a short conversation, has the fault strike, and looks at what came of it."""
    tool = _Tool()
    with tempfile.TemporaryDirectory() as folder:
        scenario, logs = Path(folder, "scenario.yaml"), Path(folder, "turns")
        await asyncio.to_thread(scenario.write_text, _SCENARIO)
        trial: _Trial | None = None
        try:
            async with asyncio.timeout(90):
                async with talk(
                    logs,
                    greeting=None,
                    tools=[tool.as_function()],
                    scenario=scenario,
                    faults=[fault] if fault in _FROM_THE_START else [],
                ) as conversation:
                    trial = _Trial(conversation, fault, state, tool)
                    await trial.run()
            return trial.judge()
        except Exception as error:  # whatever happens is this cell's result
            why = f"{type(error).__name__}: {error} {trial.seen() if trial else ''}".strip()
            if trial and isinstance(error, TimeoutError):  # what did not come was lost, perhaps
                why = "; ".join([why, *trial.problems()])
            return Cell(fault, state, Outcome.FAILED, why)


class _Trial:
    """One conversation with one fault."""

    def __init__(self, conversation: Talk, fault: str, state: State, tool: _Tool):
        self._talk = conversation
        self._fault = fault
        self._state = state
        self._tool = tool
        self._asked_s: list[float] = []
        self._struck_s = 0.0
        self._typed: list[str] = []
        self._spoken = 0

    async def run(self) -> None:
        """From the first word to the answer to the last question, or to the end in words."""
        conversation = self._talk
        await conversation.until(lambda: "ready" in conversation.states, within_s=15)
        await asyncio.sleep(0.3)
        await self._bring_about()
        self._strike()
        self._struck_s = time.monotonic()
        await self._see_through()
        if self._is_over:
            return
        for probe in _PROBES:
            before, notices = len(conversation.events("answer")), len(self._notices())
            await self._type(probe)

            def is_answered(before=before, notices=notices, asked_s=self._asked_s[-1]) -> bool:
                answers = conversation.events("answer")[before:]
                is_silent = _SILENT in self._notices()[notices:]
                is_given = any(answer["text"].startswith("All is well") for answer in answers)
                is_heard = any(at_s > asked_s for at_s, _ in conversation.transport.heard[-5:])
                return is_given and is_heard or is_silent or self._is_over

            await conversation.until(is_answered, within_s=45)
            if _SILENT not in self._notices()[notices:]:
                break
        if not self._is_over:
            await conversation.until_quiet(for_s=0.6)
            with contextlib.suppress(TimeoutError):  # a transcript may come later than its speech
                await conversation.until(self._is_last_answer_logged, within_s=_LATE_S)

    @property
    def _has_failed(self) -> bool:
        return "failed" in self._talk.states

    @property
    def _is_over(self) -> bool:
        return self._talk.running.done() or self._has_failed

    def _is_last_answer_logged(self) -> bool:
        turns = self._talk.turns
        return any(turn["side"] == "bot" and "All is well" in turn["text"] for turn in turns)

    async def _type(self, text: str) -> None:
        self._typed.append(text)
        self._asked_s.append(time.monotonic())
        await self._talk.type(text)

    async def _bring_about(self) -> None:
        conversation = self._talk
        match self._state:
            case State.IDLE:
                pass
            case State.USER_SPEAKS:
                self._spoken += 1
                before = len(conversation.events("audio"))
                conversation.say(speech(_QUESTION))
                # Not of the clock: a busy machine hears it late, and then all at once.
                await conversation.until(
                    lambda: sum(one["ms"] for one in conversation.events("audio")[before:]) >= 1200
                )
            case State.BOT_SPEAKS:
                await self._type("please count")
                await conversation.until(lambda: len(conversation.transport.heard) > 15)
            case State.TOOL_RUNS:
                await self._type("look_up the moon")
                await conversation.until(lambda: self._tool.begun)
                await asyncio.sleep(0.3)

    def _strike(self) -> None:
        conversation, fault = self._talk, FAULTS[self._fault]
        session = conversation.events("setup")[-1]["session"]
        inject = conversation.understudy.inject
        place = fault.moment.place
        parameters = {"left_s": 13.0} if "left_s" in _parameters(fault) else {}
        if issubclass(fault, Refusal) or place in (Place.SETUP, Place.RESUME):
            inject(self._fault, moment={"at": str(place), "times": 1})
            inject("rst", session=session)
        elif self._fault in ("never-answer-setup", "auth-mode"):
            number = len(conversation.events("connected")) + 1
            inject(self._fault, moment={"at": str(place), "connection": number})
            inject("rst", session=session)
        elif self._fault in _FROM_THE_START:
            inject("internal", session=session, moment=_AT_ONCE)
        elif place in (Place.AFTER_SETUP, Place.CLOCK) or (
            issubclass(fault, Ending) and place is not Place.CONNECT
        ):
            inject(self._fault, parameters=parameters, session=session, moment=_AT_ONCE)
        elif self._fault == "silent-turn":  # one: if it never answers, nothing goes on
            turn = len(conversation.events("turn_complete")) + 1
            inject(self._fault, session=session, moment={"at": str(place), "turn": turn})
        else:
            inject(self._fault, session=session)

    async def _see_through(self) -> None:
        """Waits until what went on is over, or is known not to come."""
        conversation = self._talk
        match self._state:
            case State.IDLE:
                await asyncio.sleep(1.0)
            case State.USER_SPEAKS:
                await conversation.until(
                    lambda: not conversation.transport.ear.is_speaking or self._is_over
                )
                self._asked_s.append(time.monotonic() + 0.5)
        with_answer = self._state is not State.IDLE
        with_words = self._fault not in ("silent-turn", "black-hole")
        if with_answer and with_words:
            start_s = self._struck_s if self._state is State.BOT_SPEAKS else self._asked_s[-1]
            heard = conversation.transport.heard
            await conversation.until(
                lambda: bool(heard) and heard[-1][0] > start_s or self._is_over, within_s=40
            )
        elif self._state is State.USER_SPEAKS:
            await asyncio.sleep(2.0)  # nobody types before they have waited a little
        deadline_s = time.monotonic() + 40
        while not self._is_over and time.monotonic() < deadline_s:
            heard = conversation.transport.heard
            calm = not heard or time.monotonic() - heard[-1][0] > 1.0
            if calm and conversation.states[-1] in ("ready", "draining"):
                return
            await asyncio.sleep(0.05)

    # --- what is asked of it ---------------------------------------------------------------------

    def seen(self) -> str:
        """Returns what it came to, in short."""
        states = " ".join(dict.fromkeys(self._talk.states))
        return f"(link: {states}; answers: {len(self._talk.events('answer'))})"

    def problems(self) -> list[str]:
        """Returns what the user lost, waited for, or has twice."""
        return [*self._losses(), *self._silences(), *self._calls(), *self._words()]

    def judge(self) -> Cell:
        """Returns what became of it."""
        if problems := self.problems():
            outcome = Outcome.FAILED
        elif self._has_failed:
            outcome = Outcome.ENDED
            if not self._talk.notices("ended"):
                problems.append("it ended without a word")
        else:
            outcome = Outcome.TOLD if self._notices() else Outcome.UNNOTICED
        return Cell(
            self._fault,
            self._state,
            Outcome.FAILED if problems else outcome,
            "; ".join(problems),
            tuple(dict.fromkeys(self._notices())),
        )

    def _notices(self) -> list[str]:
        calm = "The model is listening."
        news = self._talk.notices("link")
        return [
            data["text"] for at_s, data in news if at_s > self._struck_s and data["text"] != calm
        ]

    def _losses(self) -> list[str]:
        """Whether the model heard less than was said."""
        if not self._spoken or self._has_failed:
            return []
        loud = np.flatnonzero(np.abs(speech(_QUESTION)) > 500)
        said_s = (loud[-1] - loud[0]) / 48_000
        heard_s = max((r["speech_s"] for r in self._talk.events("activity_end")), default=0.0)
        lost_s = said_s - heard_s
        return [f"{lost_s:.1f} s of the question were not heard"] if lost_s > 0.25 else []

    def _silences(self) -> list[str]:
        """Waits in which the user should have been told that something is wrong."""
        heard = [at_s for at_s, _ in self._talk.transport.heard]
        told = [at_s for at_s, _ in self._talk.notices("link")] + [
            at_s for at_s, _ in self._talk.notices("ended")
        ]
        problems = []
        for asked_s in self._asked_s:
            until_s = min((at_s for at_s in heard if at_s > asked_s), default=None)
            waited_s = (until_s or time.monotonic()) - asked_s
            limit_s = _THINKING_S + TOLD_S
            if self._state is State.TOOL_RUNS and asked_s == self._asked_s[0]:
                limit_s += 2.0  # the function's own time
            is_told = any(asked_s <= at_s <= asked_s + limit_s for at_s in told) or any(
                self._struck_s <= at_s <= self._struck_s + TOLD_S for at_s in told
            )
            if waited_s > limit_s and not is_told:
                problems.append(f"{waited_s:.1f} s of silence without a word")
        return problems

    def _calls(self) -> list[str]:
        """Function calls that were not answered or cancelled just once."""
        talk, problems = self._talk, []
        wanted = self._state is State.TOOL_RUNS
        if self._tool.begun > wanted:
            problems.append(f"the function ran {self._tool.begun} times")
        answers = Counter(
            (record["session"], call)
            for record in talk.events("tool_response")
            for call in record["ids"]
        )
        problems += [f"call {k[1]} was answered {n} times" for k, n in answers.items() if n > 1]
        gone = {r["session"] for r in talk.events("closed")}
        cancelled = {k for r in talk.events("tool_call_cancelled") for k in r["ids"]}
        for record in talk.events("tool_call"):
            key = (record["session"], record["id"])
            if key not in answers and key[1] not in cancelled and key[0] not in gone:
                problems.append(f"call {key[1]} was never answered")
        return problems

    def _words(self) -> list[str]:
        """What the turn log lacks or holds twice."""
        turns = self._talk.turns
        users = [turn["text"] for turn in turns if turn["side"] == "user"]
        problems = []
        for text in self._typed:
            number = sum(words.count(text) for words in users)
            # What is typed in the moment in which the conversation fails, nobody takes any more.
            is_too_late = self._has_failed and text == self._typed[-1]
            if number > 1 or (number == 0 and not is_too_late):
                problems.append(f"{text!r} is {number} times in the turn log")
        spoken = [text for text in users if text.startswith("[")]
        if len(spoken) > self._spoken:
            problems.append(f"one sentence was written down {len(spoken)} times")
        if self._has_failed or self._fault == "missing-transcript":
            return problems
        if not self._is_last_answer_logged():
            problems.append("the last answer is not in the turn log")
        return problems


def _parameters(fault: type) -> set[str]:
    return {field.name for field in dataclasses.fields(fault)}
