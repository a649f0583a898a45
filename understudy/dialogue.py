"""What is asked and what is answered: the model's side of a session. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from understudy import answers
from understudy.answers import Answer
from understudy.calls import OpenCalls
from understudy.effects import Failed, Outbox, Result, Speak
from understudy.errors import INTERNAL_ERROR, ProtocolError, invalid
from understudy.facts import Heard, Seen, Unreadable
from understudy.gathering import Gathering
from understudy.handles import Handles
from understudy.knowledge import Knowledge
from understudy.memory import MAX_KEPT_TEXT, Gathered
from understudy.messages import FunctionResult
from understudy.output import Ask, ModelTurn
from understudy.quotas import Account
from understudy.replies import calls_for, reply
from understudy.scenario import Scenario
from understudy.setup import Settings
from understudy.tools import Function, describe, scheduling
from understudy.usage import audio_tokens, text_tokens

MAX_ASKS = 64
"""Questions waiting for their turn under NO_INTERRUPTION; the oldest give way."""


class Dialogue:
    """Answers one question at a time, and can be interrupted.

    Args:
        settings: What the setup asked for.
        knowledge: What the session knows.
        gathering: What has come in for the next answer.
        handles: Tells how the session can be resumed.
        scenario: What to say instead of what was seen and heard.
        new_number: Makes the numbers in the ids of function calls.
        account: Is charged for each turn.
        outbox: Takes the effects.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        knowledge: Knowledge,
        gathering: Gathering,
        handles: Handles,
        scenario: Scenario | None,
        new_number: Callable[[], int],
        account: Account,
        outbox: Outbox,
    ) -> None:
        self._settings = settings
        self._profile = settings.profile
        self._knowledge = knowledge
        self._gathering = gathering
        self._handles = handles
        self._scenario = scenario or Scenario()
        self._account = account
        self._outbox = outbox
        self._functions = settings.functions
        self._calls = OpenCalls(settings.profile, new_number=new_number, outbox=outbox)
        self._idle_results: deque[FunctionResult] = deque(maxlen=MAX_ASKS)
        self._is_listening = False
        self._turn: ModelTurn | None = None
        self._asks: deque[Ask] = deque(maxlen=MAX_ASKS)

    @property
    def is_answering(self) -> bool:
        """Whether an answer is on its way, being played, or waiting for a function."""
        return self._turn is not None or self._calls.is_blocked

    @property
    def has_answered(self) -> bool:
        """Whether the model has had, or is having, a turn."""
        return self._knowledge.memory.turns > 0 or self._turn is not None

    @property
    def next_due_s(self) -> float | None:
        """When `do_due` has something to do."""
        return None if self._turn is None else self._turn.next_due_s

    def finish(self, ticket: int, result: Result, now_s: float) -> None:
        """Takes the result of work."""
        match result:
            case Failed():
                raise ProtocolError(1011, INTERNAL_ERROR)
            case Unreadable(why):
                self._outbox.note("unreadable", why=why)
                raise invalid()
            case Seen():
                self._gathering.saw(ticket, result)
            case bytes() if self._turn is not None and self._turn.ticket == ticket:
                self._turn.load(result, now_s=now_s)
        self._compose(now_s)

    # What is asked

    def listen(self) -> None:
        """Takes note that the user has begun to speak: results that can wait do."""
        self._is_listening = True

    def declare(self, functions: tuple[Function, ...]) -> None:
        """Replaces the declared functions."""
        self._functions = functions

    def answer_heard(self, heard: Heard, now_s: float) -> None:
        """Answers something the user said aloud."""
        self._is_listening = False
        self._give_way(now_s)
        self._knowledge.hear(heard)
        self._ask(Ask(heard=heard), now_s)

    def answer_text(self, text: str, now_s: float) -> None:
        """Answers something typed."""
        self._give_way(now_s)
        self._knowledge.count(text=text_tokens(text))
        self._ask(Ask(text=text[:MAX_KEPT_TEXT]), now_s)

    def answer_content(self, now_s: float) -> None:
        """Answers the clientContent that waits for it, if any."""
        gathering = self._gathering
        if gathering.has_unanswered:
            texts = " ".join(gathering.gathered.texts)
            self._ask(Ask(is_greeting=True) if gathering.greets else Ask(text=texts), now_s)

    def _ask(self, ask: Ask, now_s: float) -> None:
        if self.is_answering:
            self._asks.append(ask)
        else:
            self._begin(Ask(then=ask) if self._profile.filler else ask, now_s)

    def _give_way(self, now_s: float) -> None:
        """Ends the answer that a question cuts short, before the question counts."""
        if self.is_answering and self._settings.interrupts:
            self.interrupt(now_s)

    def _begin(self, ask: Ask, now_s: float, *, delay_s: float | None = None) -> None:
        self._gathering.has_unanswered = False
        self._account.check(now_s)
        self._knowledge.fit()
        self._turn = ModelTurn(
            ask,
            asked_s=now_s,
            profile=self._profile,
            transcribes=self._settings.transcribes_output,
            writes=self._settings.writes,
            delay_s=delay_s,
        )
        self._compose(now_s)

    def take_results(self, results: Sequence[FunctionResult], now_s: float) -> None:
        """Takes what functions returned, and tells it when each asks to be told.

        Raises:
            ProtocolError: 1007 or 1008; see `OpenCalls.take`.
        """
        ready = self._calls.take(results)
        blocking = self._calls.take_blocking_results()
        self._knowledge.count(text=text_tokens(describe([*ready, *blocking])))
        urgent = [result for result in ready if scheduling(result) == "INTERRUPT"]
        self._idle_results += [result for result in ready if scheduling(result) == "WHEN_IDLE"]
        if blocking and self._turn is not None and self._turn.has_called:
            self._turn.go_on(Ask(results=tuple(blocking)), now_s=now_s)
            self._compose(now_s)
        elif blocking:
            self._idle_results += blocking
        if urgent:
            self._cut(now_s, goes_on=False)
            self._begin(Ask(results=tuple(urgent)), now_s)
        self._tell_idle_results(now_s)
        if self._turn is None and not self._calls.is_any_open and not self._handles.is_resumable:
            self._settle(now_s)

    def _tell_idle_results(self, now_s: float) -> None:
        is_busy = self.is_answering or self._is_listening or self._asks
        if self._idle_results and not is_busy:
            results = tuple(self._idle_results)
            self._idle_results.clear()
            self._begin(Ask(results=results), now_s)

    def _settle(self, now_s: float) -> None:
        """Says, after the last result when nothing is to be told, that all is done."""
        if self._profile.filler:
            self._outbox.send({"serverContent": {"interactionStatus": "IDLE"}})
        self._handles.unlock(now_s)

    def _compose(self, now_s: float) -> None:
        """Decides what to say, as soon as every picture that came before has been looked at."""
        turn = self._turn
        if turn is None or turn.answer is not None or self._gathering.is_looking:
            return
        if turn.calls or (turn.has_called and not turn.ask.results):
            return
        turn.calls = calls_for(
            turn.ask,
            self._gathering.gathered,
            self._functions,
            turn=self._knowledge.memory.turns + 1,
            scenario=self._scenario,
        )
        if turn.calls:
            self._gathering.drop_texts()
        else:
            self._answer(turn)
        self._handles.lock(now_s)
        if turn.answer is None:
            return
        if self._settings.shows_thoughts:
            turn.thought = answers.thought(turn.answer)
        if self._settings.writes:
            turn.load(b"", now_s=now_s)
        else:
            turn.ticket = self._outbox.work(Speak(turn.answer.text, self._settings.voice))

    def _answer(self, turn: ModelTurn) -> None:
        gathered = Gathered()
        if turn.ask.then is not None:
            turn.answer = Answer(self._profile.filler, "filler")
        else:
            if not turn.ask.results:
                gathered = self._gathering.take()
            turn.answer = reply(
                turn.ask,
                gathered,
                self._knowledge,
                self._scenario,
                can_search=self._settings.can_search,
            )
        frames = answers.frame_summary(gathered.frames)
        self._outbox.note("answer", text=turn.answer.text, why=turn.answer.why, frames=frames)

    # What goes out

    def do_due(self, now_s: float) -> None:
        """Sends everything that is due by now."""
        while (turn := self._turn) is not None:
            due_s = turn.next_due_s
            if due_s is None or due_s > now_s:
                return
            if turn.calls:
                self._call(turn, now_s)
                continue
            if turn.generated:
                self._complete(turn, now_s)
                if self._turn is None:
                    self._tell_idle_results(now_s)
                continue
            for message in turn.step():
                self._outbox.send(message)
            if turn.generated:
                self._note_audio_out(turn)
                self._outbox.note("generation_complete")

    def _call(self, turn: ModelTurn, now_s: float) -> None:
        """Calls functions; the turn then waits for them or, if none blocks, is over."""
        calls, turn.calls, turn.has_called = turn.calls, (), True
        self._calls.send(calls)
        if self._profile.ends_turn_at_call or not self._calls.is_blocked:
            # Recorded from gemini-3.8-live: the turn of a call may end without a word, and the
            # result is told in the next.
            self._complete(turn, now_s)

    def interrupt(self, now_s: float) -> None:
        """Cancels blocking calls and cuts the answer short.

        What has not been sent is dropped, and the turn is complete.
        """
        self._calls.cancel()
        self._cut(now_s, goes_on=True)

    def _cut(self, now_s: float, *, goes_on: bool) -> None:
        turn = self._turn
        if turn is None:
            return
        if not turn.generated:
            self._note_audio_out(turn)
        self._outbox.note("interrupted", generated=turn.generated)
        self._outbox.send({"serverContent": {"interrupted": True}})
        self._complete(turn, now_s, is_cut=True, goes_on=goes_on)

    def _complete(
        self, turn: ModelTurn, now_s: float, *, is_cut: bool = False, goes_on: bool = True
    ) -> None:
        then = None if is_cut else turn.ask.then
        is_pending = then is not None or self._calls.is_any_open
        content: dict[str, Any] = {"turnComplete": True}
        if self._profile.filler:
            content["interactionStatus"] = "IN_PROGRESS" if is_pending else "IDLE"
        writes = self._settings.writes
        response = text_tokens(turn.sent_text) if writes else audio_tokens(turn.sent_s)
        usage = self._knowledge.memory.context.usage.metadata(
            response,
            modality="TEXT" if writes else "AUDIO",
            thoughts=text_tokens(turn.thought),
        )
        self._outbox.send({"serverContent": content, "usageMetadata": usage})
        self._outbox.note("turn_complete", usage=usage)
        self._account.spend(usage["totalTokenCount"], now_s)
        self._turn = None
        if turn.ask.then is None and not (turn.has_called and turn.answer is None):
            self._knowledge.count_answer()
        self._knowledge.count(**{"text" if writes else "audio": response})
        self._knowledge.begin_turn()
        if not is_pending:
            self._handles.unlock(now_s)
        if then is not None:
            self._begin(then, now_s, delay_s=self._profile.thinking_s)
        elif self._asks and goes_on and not self._calls.is_blocked:
            self._begin(self._asks.popleft(), now_s)

    def _note_audio_out(self, turn: ModelTurn) -> None:
        self._outbox.note("audio_out", ms=round(turn.sent_s * 1000), chunks=turn.sent_chunks)
