"""What is asked and what is answered: the model's side of a session. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from understudy import answers
from understudy.answers import Answer
from understudy.effects import Failed, Look, Outbox, Result, Speak
from understudy.errors import INTERNAL_ERROR, ProtocolError, invalid, refused
from understudy.facts import Heard, Seen, Unreadable
from understudy.memory import Gathered, Memory, ResumptionStore
from understudy.messages import Blob, Turn
from understudy.output import Ask, ModelTurn
from understudy.scenario import Scenario
from understudy.setup import Settings
from understudy.usage import audio_tokens, frame_tokens, text_tokens

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
        outbox: Takes the effects.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        memory: Memory,
        scenario: Scenario | None,
        store: ResumptionStore,
        new_id: Callable[[], str],
        outbox: Outbox,
    ) -> None:
        self._settings = settings
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
        """Whether an answer is on its way or being played."""
        return self._turn is not None

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
        usage = self._memory.usage.add(text=text, audio=audio, image=image)
        self._memory = replace(self._memory, usage=usage)

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
            self._gathered.texts.append(turn.text)
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
        self._compose()

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

    def answer_heard(self, heard: Heard, now_s: float) -> None:
        """Answers something the user said aloud."""
        self._memory = replace(self._memory, heard=heard)
        self._ask(Ask(heard=heard), now_s)

    def answer_text(self, text: str, now_s: float) -> None:
        """Answers something typed."""
        self.count(text=text_tokens(text))
        self._ask(Ask(text=text), now_s)

    def answer_content(self, now_s: float) -> None:
        """Answers the clientContent that waits for it, if any."""
        if not self._has_unanswered:
            return
        has_still = bool(self._gathered.stills) or any(p.is_still for p in self._looks.values())
        greets = self._is_opening and not has_still
        texts = " ".join(self._gathered.texts)
        self._ask(Ask(is_greeting=True) if greets else Ask(text=texts), now_s)

    def _ask(self, ask: Ask, now_s: float) -> None:
        if self._turn is not None:
            if not self._settings.interrupts:
                self._asks.append(ask)
                return
            self.interrupt(now_s)
        self._begin(ask, now_s)

    def _begin(self, ask: Ask, now_s: float) -> None:
        self._has_unanswered = False
        self._turn = ModelTurn(
            ask,
            asked_s=now_s,
            profile=self._settings.profile,
            transcribes=self._settings.transcribes_output,
        )
        self._compose()

    def _compose(self) -> None:
        """Decides what to say, as soon as every picture that came before has been looked at."""
        turn = self._turn
        if turn is None or turn.answer is not None or self._looks:
            return
        gathered, self._gathered = self._gathered, Gathered()
        ask = turn.ask
        if ask.heard is not None:
            turn.answer = answers.spoken(ask.heard, gathered)
        elif ask.is_greeting:
            turn.answer = answers.greeting(gathered)
        else:
            turn.answer = answers.written(ask.text or "", gathered, self._memory)
        written = ask.text or " ".join(gathered.texts)
        if (say := self._scenario.answer(self._memory.turns + 1, written)) is not None:
            turn.answer = Answer(say, "scenario")
        frames = answers.frame_summary(gathered.frames)
        self._outbox.note("answer", text=turn.answer.text, why=turn.answer.why, frames=frames)
        turn.ticket = self._outbox.work(Speak(turn.answer.text, self._settings.voice))

    # What goes out

    def do_due(self, now_s: float) -> None:
        """Sends everything that is due by now."""
        while (turn := self._turn) is not None:
            due_s = turn.next_due_s
            if due_s is None or due_s > now_s:
                return
            if turn.generated:
                self._complete(turn, now_s)
                continue
            for message in turn.step():
                self._outbox.send(message)
            if turn.generated:
                self._note_audio_out(turn)
                self._outbox.note("generation_complete")

    def interrupt(self, now_s: float) -> None:
        """Cuts the answer short: drops what has not been sent, and completes the turn."""
        turn = self._turn
        if turn is None:
            return
        if not turn.generated:
            self._note_audio_out(turn)
        self._outbox.note("interrupted", generated=turn.generated)
        self._outbox.send({"serverContent": {"interrupted": True}})
        self._complete(turn, now_s)

    def _complete(self, turn: ModelTurn, now_s: float) -> None:
        response = audio_tokens(turn.sent_s)
        usage = self._memory.usage.metadata(response)
        self._outbox.send({"serverContent": {"turnComplete": True}, "usageMetadata": usage})
        self._outbox.note("turn_complete", usage=usage)
        self._turn = None
        self._memory = replace(self._memory, turns=self._memory.turns + 1)
        self.count(audio=response)
        if self._settings.sends_handles:
            self.send_handle(now_s)
        if self._asks:
            self._begin(self._asks.popleft(), now_s)

    def send_handle(self, now_s: float) -> None:
        """Sends a handle that brings back what is known now."""
        handle = self._new_id()
        self._store.save(handle, self._memory, now_s)
        self._outbox.send({"sessionResumptionUpdate": {"newHandle": handle, "resumable": True}})

    def _note_audio_out(self, turn: ModelTurn) -> None:
        self._outbox.note("audio_out", ms=round(turn.sent_s * 1000), chunks=turn.sent_chunks)
