"""What is asked and what is answered: the model's side of a session. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from understudy import answers
from understudy.answers import Answer
from understudy.calls import OpenCalls
from understudy.effects import Failed, Look, Outbox, Result, Speak
from understudy.errors import INTERNAL_ERROR, ProtocolError, invalid, refused
from understudy.facts import Heard, Seen, Unreadable
from understudy.memory import MAX_KEPT_TEXT, Gathered, Memory, ResumptionStore
from understudy.messages import Blob, FunctionResult, Turn
from understudy.output import Ask, ModelTurn
from understudy.scenario import Scenario
from understudy.setup import Settings
from understudy.tools import Call, Function, describe, requested, scheduling
from understudy.usage import Usage, audio_tokens, frame_tokens, text_tokens

MAX_ASKS = 64
"""Questions waiting for their turn under NO_INTERRUPTION; the oldest give way."""


@dataclass(frozen=True, slots=True)
class _Looking:
    """A picture that is being looked at."""

    is_still: bool
    size_bytes: int


class Dialogue:
    """Gathers what came in, answers one question at a time, and can be interrupted.

    Args:
        settings: What the setup asked for.
        memory: What the session knows already; a resumed one knows something.
        scenario: What to say instead of what was seen and heard.
        store: Where resumption handles are kept.
        new_id: Makes resumption handles.
        new_number: Makes the numbers in the ids of function calls.
        outbox: Takes the effects.
        started_s: When the connection was set up.
        owner: Stands for the connection, beside the handles it is given.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        memory: Memory,
        scenario: Scenario | None,
        store: ResumptionStore,
        new_id: Callable[[], str],
        new_number: Callable[[], int],
        outbox: Outbox,
        started_s: float,
        owner: object,
    ) -> None:
        self._started_s = started_s
        self._owner = owner
        self._settings = settings
        self._profile = settings.profile
        self._functions = settings.functions
        self._calls = OpenCalls(settings.profile, new_number=new_number, outbox=outbox)
        self._idle_results: deque[FunctionResult] = deque(maxlen=MAX_ASKS)
        self._is_listening = False
        self._is_resumable = True
        self._memory = memory
        self._scenario = scenario or Scenario()
        self._store = store
        self._new_id = new_id
        self._outbox = outbox
        self._gathered = Gathered()
        self._has_unanswered = False
        self._is_opening = False
        self._looks: dict[int, _Looking] = {}
        self._turn: ModelTurn | None = None
        self._asks: deque[Ask] = deque(maxlen=MAX_ASKS)

    @property
    def is_answering(self) -> bool:
        """Whether an answer is on its way, being played, or waiting for a function."""
        return self._turn is not None or self._calls.is_blocked

    @property
    def has_answered(self) -> bool:
        """Whether the model has had, or is having, a turn."""
        return self._memory.turns > 0 or self._turn is not None

    @property
    def has_unanswered(self) -> bool:
        """Whether content waits for an answer."""
        return self._has_unanswered

    @property
    def next_due_s(self) -> float | None:
        """When `do_due` has something to do."""
        return None if self._turn is None else self._turn.next_due_s

    # What comes in

    def count(self, *, text: int = 0, audio: int = 0, image: int = 0) -> None:
        """Counts tokens that entered the context."""
        context = self._memory.context.add(text=text, audio=audio, image=image)
        self._memory = replace(self._memory, context=context)

    def count_instruction(self, tokens: int) -> None:
        """Counts the system instruction, which stays when the window slides."""
        context = replace(self._memory.context, instruction=Usage(text=tokens))
        self._memory = replace(self._memory, context=context)

    def _fit(self) -> None:
        """Slides the context window, or ends a session whose window is full."""
        context, sliding = self._memory.context, self._settings.sliding
        total = context.usage.total
        if sliding is not None:
            slid = context.slid(sliding)
            if slid is not context:
                self._memory = replace(self._memory, context=slid)
                self._outbox.note("context_slid", tokens=total, left=slid.usage.total)
        elif total > self._profile.context_tokens:
            raise invalid()  # reported: the very words of any other invalid argument

    def gather(self, turn: Turn, *, is_opening: bool) -> None:
        """Takes a turn of clientContent, to be answered when that is asked for.

        Args:
            turn: What somebody said or showed.
            is_opening: Whether it is history that comes before the first answer.
        """
        self._has_unanswered = True
        self._is_opening = is_opening
        self._gathered.turns += 1
        self.count(text=text_tokens(turn.text))
        if turn.role == "model":
            return
        if turn.text.strip():
            self._gathered.texts.append(turn.text[:MAX_KEPT_TEXT])
        for blob in turn.blobs:
            if not blob.mime_type.startswith("image/"):
                raise refused("Operation not supported")
            self.look(blob, is_still=True, is_counted=True)

    def look(self, blob: Blob, *, is_still: bool, is_counted: bool) -> None:
        """Takes a picture; an answer waits until it has been looked at.

        Args:
            blob: JPEG, PNG or WebP.
            is_still: Whether it was part of a turn, and not a frame of a video.
            is_counted: Whether it costs tokens.
        """
        ticket = self._outbox.work(Look(blob.data))
        self._looks[ticket] = _Looking(is_still, len(blob.data))
        if not is_still:
            self._memory = replace(self._memory, saw_video=True)
        if is_counted:
            self.count(image=frame_tokens(self._settings.media_resolution))

    def finish(self, ticket: int, result: Result, now_s: float) -> None:
        """Takes the result of work."""
        looking = self._looks.pop(ticket, None)
        match result:
            case Failed():
                raise ProtocolError(1011, INTERNAL_ERROR)
            case Unreadable(why):
                self._outbox.note("unreadable", why=why)
                raise invalid()
            case Seen() if looking is not None:
                self._saw(result, looking)
            case bytes() if self._turn is not None and self._turn.ticket == ticket:
                self._turn.load(result, now_s=now_s)
        self._compose(now_s)

    def _saw(self, seen: Seen, looking: _Looking) -> None:
        if looking.is_still:
            seen = replace(seen, source=seen.source or "upload")
            self._gathered.stills.append(seen)
        else:
            self._gathered.frames[seen.source] += 1
            self._gathered.latest[seen.source] = seen
        self._memory = replace(self._memory, latest={**self._memory.latest, seen.source: seen})
        self._outbox.note(
            "picture" if looking.is_still else "video",
            source=seen.source or "video",
            width=seen.width,
            height=seen.height,
            bytes=looking.size_bytes,
            brightness=seen.brightness,
            colours=[list(colour) for colour in seen.colours],
        )

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
        self._memory = replace(self._memory, heard=heard)
        self._ask(Ask(heard=heard), now_s)

    def answer_text(self, text: str, now_s: float) -> None:
        """Answers something typed."""
        self.count(text=text_tokens(text))
        self._ask(Ask(text=text[:MAX_KEPT_TEXT]), now_s)

    def answer_content(self, now_s: float) -> None:
        """Answers the clientContent that waits for it, if any."""
        if not self._has_unanswered:
            return
        has_still = bool(self._gathered.stills) or any(p.is_still for p in self._looks.values())
        greets = self._is_opening and not has_still
        texts = " ".join(self._gathered.texts)
        self._ask(Ask(is_greeting=True) if greets else Ask(text=texts), now_s)

    def _ask(self, ask: Ask, now_s: float) -> None:
        if self.is_answering:
            if not self._settings.interrupts:
                self._asks.append(ask)
                return
            self.interrupt(now_s)
        self._begin(Ask(then=ask) if self._profile.filler else ask, now_s)

    def _begin(self, ask: Ask, now_s: float, *, delay_s: float | None = None) -> None:
        self._has_unanswered = False
        self._fit()
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
        self.count(text=text_tokens(describe([*ready, *blocking])))
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
        if self._turn is None and not self._calls.is_any_open and not self._is_resumable:
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
        if self._settings.sends_handles:
            self.send_handle(now_s)

    def _compose(self, now_s: float) -> None:
        """Decides what to say, as soon as every picture that came before has been looked at."""
        turn = self._turn
        if turn is None or turn.answer is not None or self._looks:
            return
        if turn.calls or (turn.has_called and not turn.ask.results):
            return
        turn.calls = self._wanted_calls(turn.ask)
        if turn.calls:
            self._gathered.texts.clear()
            self._gathered.turns = 0
        else:
            self._answer(turn)
        self._lock(now_s)
        if turn.answer is None:
            return
        if self._settings.shows_thoughts:
            turn.thought = answers.thought(turn.answer)
        if self._settings.writes:
            turn.load(b"", now_s=now_s)
        else:
            turn.ticket = self._outbox.work(Speak(turn.answer.text, self._settings.voice))

    def _wanted_calls(self, ask: Ask) -> tuple[Call, ...]:
        if ask.is_greeting and self._gathered.texts:
            return requested(self._gathered.texts[-1], self._functions)
        return requested(ask.text or "", self._functions)

    def _answer(self, turn: ModelTurn) -> None:
        ask = turn.ask
        gathered = Gathered()
        if ask.then is not None:
            turn.answer = Answer(self._profile.filler, "filler")
        elif ask.results:
            turn.answer = answers.returned(ask.results)
        else:
            gathered, self._gathered = self._gathered, gathered
            if ask.heard is not None:
                turn.answer = answers.spoken(ask.heard, gathered)
            elif ask.is_greeting:
                turn.answer = answers.greeting(gathered)
            else:
                turn.answer = self._answer_text(ask.text or "", gathered)
        written = ask.text or " ".join(gathered.texts)
        if ask.then is None and not ask.results:
            if (say := self._scenario.answer(self._memory.turns + 1, written)) is not None:
                turn.answer = Answer(say, "scenario")
        frames = answers.frame_summary(gathered.frames)
        self._outbox.note("answer", text=turn.answer.text, why=turn.answer.why, frames=frames)

    def _answer_text(self, text: str, gathered: Gathered) -> Answer:
        answer = answers.written(text, gathered, self._memory)
        if answer.why == "remember":
            told = (*self._memory.told, answers.to_keep(text))[-answers.MAX_TOLD :]
            self._memory = replace(self._memory, told=told)
        return answer

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
        usage = self._memory.context.usage.metadata(
            response,
            modality="TEXT" if writes else "AUDIO",
            thoughts=text_tokens(turn.thought),
        )
        self._outbox.send({"serverContent": content, "usageMetadata": usage})
        self._outbox.note("turn_complete", usage=usage)
        self._turn = None
        if turn.ask.then is None and not (turn.has_called and turn.answer is None):
            self._memory = replace(self._memory, turns=self._memory.turns + 1)
        self.count(**{"text" if writes else "audio": response})
        self._memory = replace(self._memory, context=self._memory.context.begin_turn())
        if self._settings.sends_handles and not is_pending:
            self.send_handle(now_s)
        if then is not None:
            self._begin(then, now_s, delay_s=self._profile.thinking_s)
        elif self._asks and goes_on and not self._calls.is_blocked:
            self._begin(self._asks.popleft(), now_s)

    def _lock(self, now_s: float) -> None:
        """Sends what a session that begins to generate tells of its resumption.

        Vendor documentation: it can't be resumed while it generates or waits for a function.
        """
        if not self._is_resumable or not self._settings.sends_handles:
            return
        if self._profile.sends_unasked_handles:
            self.send_handle(now_s)
        self._is_resumable = False
        self._outbox.send({"sessionResumptionUpdate": {"resumable": False}})

    def send_handle(self, now_s: float) -> None:
        """Sends a handle that brings back what is known now."""
        self._is_resumable = True
        handle = self._new_id()
        memory = replace(self._memory, age_s=self._memory.age_s + now_s - self._started_s)
        self._store.save(handle, memory, now_s, owner=self._owner)
        self._outbox.send({"sessionResumptionUpdate": {"newHandle": handle, "resumable": True}})

    def _note_audio_out(self, turn: ModelTurn) -> None:
        self._outbox.note("audio_out", ms=round(turn.sent_s * 1000), chunks=turn.sent_chunks)
