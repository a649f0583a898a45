"""One answer of the model on its way out: which message is due when. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from understudy.answers import Answer
from understudy.facts import Heard
from understudy.messages import FunctionResult
from understudy.profiles import Profile
from understudy.searching import grounding
from understudy.speaking import Beat, beats, text_beats
from understudy.tools import Call
from understudy.wire import OUTPUT_MIME_TYPE, OUTPUT_RATE_HZ

_BYTES_PER_S = OUTPUT_RATE_HZ * 2


@dataclass(frozen=True, slots=True)
class Ask:
    """What the model is to answer.

    Attributes:
        heard: Something said aloud.
        text: Something written.
        is_greeting: History that a conversation begins with.
        results: What functions returned.
        then: This is only a filler, said while the model thinks; what comes after it.
    """

    heard: Heard | None = None
    text: str | None = None
    is_greeting: bool = False
    results: tuple[FunctionResult, ...] = ()
    then: Ask | None = None


class ModelTurn:
    """From the question to turnComplete.

    Args:
        ask: What is answered.
        asked_s: When it was asked.
        profile: Whose habits to follow.
        transcribes: Whether outputTranscription is sent.
        writes: Whether the answer is text parts instead of audio.
        delay_s: From the question to the first output; None for the profile's.

    Attributes:
        calls: Functions to call when it is due, instead of saying something.
        has_called: Whether functions were called.
        thought: A thought part to send before the answer.
        sent_text: The text parts sent so far.
        answer: What is being said, once that is decided.
        ticket: The ticket of the synthesis, once it is asked for.
        sent_bytes: Audio sent so far.
        sent_chunks: In how many messages.
        generated: Whether generationComplete was sent.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        asked_s: float,
        profile: Profile,
        transcribes: bool,
        writes: bool = False,
        delay_s: float | None = None,
    ) -> None:
        self.ask = ask
        self.calls: tuple[Call, ...] = ()
        self.has_called = False
        self.thought = ""
        self.sent_text = ""
        self.answer: Answer | None = None
        self.ticket: int | None = None
        self.sent_bytes = 0
        self.sent_chunks = 0
        self.generated = False
        self._profile = profile
        self._transcribes = transcribes
        self._writes = writes
        self._earliest_s = asked_s + (profile.answer_delay_s if delay_s is None else delay_s)
        self._start_s: float | None = None
        self._pcm = b""
        self._beats: list[Beat] = []
        self._next = 0

    @property
    def sent_s(self) -> float:
        """Seconds of audio sent so far."""
        return self.sent_bytes / _BYTES_PER_S

    def load(self, pcm: bytes, *, now_s: float) -> None:
        """Takes the speech, 24 kHz 16-bit mono (nothing when the answer is written).

        From here on the turn has due times.
        """
        assert self.answer is not None
        self._pcm = pcm
        if self._writes:
            self._beats = text_beats(self.answer.text, self._profile)
        else:
            self._beats = beats(self.answer.text, len(pcm), self._profile)
        self._start_s = max(now_s, self._earliest_s)

    def go_on(self, ask: Ask, *, now_s: float) -> None:
        """Continues, after blocking calls, with what they returned."""
        self.ask = ask
        self._earliest_s = now_s + self._profile.answer_delay_s

    @property
    def next_due_s(self) -> float | None:
        """When `step` or, after generationComplete, turnComplete is due; None while waiting."""
        if self.calls:
            return self._earliest_s
        if self._start_s is None:
            return None
        if self._next < len(self._beats):
            return self._start_s + self._beats[self._next].offset_s
        if not self.generated:
            return self._start_s + self._beats[-1].offset_s
        # Recorded from gemini-3.8-live: turnComplete waits for the assumed playback; 2.52 s of
        # audio, turnComplete 2.3 s after the first of it, which is one chunk earlier.
        playback_s = self.sent_s - self._profile.chunk_s
        return self._start_s + max(playback_s, self._beats[-1].offset_s)

    def step(self) -> list[dict[str, Any]]:
        """Returns the messages that are due: a chunk of audio, or the sources and the end."""
        if self._next >= len(self._beats):
            self.generated = True
            end = {"serverContent": {"generationComplete": True}}
            if self.answer is None or not self.answer.query:
                return [end]
            return [{"serverContent": {"groundingMetadata": grounding(self.answer)}}, end]
        beat = self._beats[self._next]
        is_first, self._next = self._next == 0, self._next + 1
        return list(self._messages(beat, is_first=is_first))

    def _messages(self, beat: Beat, *, is_first: bool) -> Iterator[dict[str, Any]]:
        if self._profile.sends_empty_frames:
            # Recorded from gemini-3.8-live: {}, {"serverContent": {}}, {}, audio, {}, audio ...
            yield {}
            if is_first:
                yield {"serverContent": {}}
                yield {}
        if is_first and self.thought:
            yield _model_turn({"text": self.thought, "thought": True})
        if self._writes:
            self.sent_text += beat.transcript
            yield _model_turn({"text": beat.transcript})
            return
        audio = self._pcm[beat.audio]
        self.sent_bytes += len(audio)
        self.sent_chunks += bool(audio)
        blob = {"mimeType": OUTPUT_MIME_TYPE, "data": audio}
        content = {"modelTurn": {"parts": [{"inlineData": blob}], "role": "model"}} if audio else {}
        said = {}
        if beat.transcript and self._transcribes:
            said = {"outputTranscription": {"text": beat.transcript}}
        if self._profile.bundles_transcript:
            if content or said:
                yield {"serverContent": {**content, **said}}
            return
        if said:
            yield {"serverContent": said}
        if content:
            yield {"serverContent": content}


def _model_turn(part: dict[str, Any]) -> dict[str, Any]:
    return {"serverContent": {"modelTurn": {"parts": [part], "role": "model"}}}
