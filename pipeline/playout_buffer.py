"""When the model's speech, and what belongs to it, goes to the output: just before it is played. Pure.

The model sends speech several times faster than it is played, and sometimes slower. Pipecat 1.14.0
hands all of it to the output at once, text included, where it can't be stopped for a moment but
only be thrown away. Here it stays in one line, the text where it is said, and leaves it in pieces
while the one before is played.

Nothing here waits or looks at a clock: every event brings its time, in seconds.
"""

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import TypeGuard

from pipecat.frames.frames import (
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TextFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)

from pipeline.arrival import Arrival
from pipeline.barge_in import BargeIn
from pipeline.lead import AHEAD_S, PIECE_S, Lead
from pipeline.spoken_text import SpokenText, in_words

RATE_HZ = 24_000
LAST_MOMENT_S = 0.02
"""How long before the speech runs dry the rest of it goes out that does not fill a piece."""
BREAK_S = 0.01
"""A gap that can be heard."""
SAID_S = 1.0
"""How long after the last of a turn's speech the rest of its words is taken to be said, should the
model not say that the turn is over; longer than speech that stalls on its way."""

_TURN_BEGINS = (TTSStartedFrame, LLMFullResponseStartFrame)
_TURN_ENDS = (TTSStoppedFrame, LLMFullResponseEndFrame)
_BYTES_PER_S = RATE_HZ * 2
_PIECE = int(PIECE_S * _BYTES_PER_S)


@dataclass
class PlayoutMeasures:
    """What the line did to the speech.

    Parameters:
        longest_delay_s: How long the beginning of a stretch of speech waited at most.
        breaks: How often speech broke off although more was to come.
        longest_break_s: For how long at most.
        holds: How often speech was held because the user was heard.
        cuts: How often it was cut off.
    """

    longest_delay_s: float = 0.0
    breaks: int = 0
    longest_break_s: float = 0.0
    holds: int = 0
    cuts: int = 0


@dataclass
class _Mark:
    """A frame that leaves when the speech up to `at`, in bytes, has left.

    A piece of the transcript that is being said does not leave before its `place` in `SpokenText`
    either, which is estimated anew as speech comes.
    """

    at: int
    frame: Frame
    ends_speech: bool
    place: float | None = None


class PlayoutBuffer:
    """Speech and the frames in between, from the service to the output.

    Attributes:
        measures: What it did to the speech so far.
    """

    def __init__(self) -> None:
        self.measures = PlayoutMeasures()
        self._arrival = Arrival()
        self._barge_in = BargeIn()
        self._lead = Lead()
        self._text = SpokenText()
        self._audio = bytearray()
        self._left = 0  # bytes, since the beginning
        self._marks: deque[_Mark] = deque()
        self._turn_from: int | None = None
        self._is_speaking = False
        self._came_s = -math.inf
        self._gather_s = 0.0
        self._ready_s = -math.inf

    # --- in -------------------------------------------------------------------------------------

    def put(self, frame: Frame, now_s: float) -> None:
        """Let a frame join the line."""
        if _is_speech(frame):
            self._put_speech(frame.audio, now_s)
        elif isinstance(frame, TextFrame):
            self._put_text(frame)
        elif isinstance(frame, _TURN_BEGINS + _TURN_ENDS) or not frame.interruptible:
            self._put_end(frame)
        else:
            self._put_mark(frame)

    def _put_speech(self, pcm: bytes, now_s: float) -> None:
        if not self._audio and now_s >= max(self._lead.end_s, self._barge_in.until_s):
            self._gather_s = self._arrival.broke() if self._is_speaking else self._arrival.delay_s
            self._came_s = now_s
            self._ready_s = now_s + self._gather_s
        self._audio += pcm
        self._arrival.came(len(pcm) / _BYTES_PER_S, now_s)
        self._text.came(len(pcm) / _BYTES_PER_S)
        if len(self._audio) >= self._gather_s * _BYTES_PER_S:
            self._ready_s = min(self._ready_s, now_s)

    def _put_text(self, frame: TextFrame) -> None:
        if isinstance(frame, TTSTextFrame) and self._turn_from is not None:
            for word in in_words(frame):
                self._put_mark(word, place=self._text.place(word.text))
                self._text.add(word.text)
        else:
            self._put_mark(frame, place=None if self._turn_from is None else self._text.place(""))

    def _put_end(self, frame: Frame) -> None:
        end = self._left + len(self._audio)
        for mark in self._marks:
            mark.at, mark.place = min(self._leaves_at(mark), end), None
        self._put_mark(frame, at=end, ends_speech=True)
        # Nothing comes that would fill the last piece, or make waiting worth it.
        self._ready_s = -math.inf
        self._arrival.ended()
        if isinstance(frame, LLMFullResponseStartFrame):
            self._turn_from = end
            self._text.began()
        elif isinstance(frame, _TURN_ENDS) and self._turn_from is not None:
            self._text.ended((end - self._turn_from) / _BYTES_PER_S)
            self._turn_from = None

    def _put_mark(
        self,
        frame: Frame,
        *,
        at: int = 0,
        place: float | None = None,
        ends_speech: bool = False,
    ) -> None:
        came = self._left + len(self._audio)
        before = self._marks[-1].at if self._marks else 0
        self._marks.append(_Mark(max(at, came, before), frame, ends_speech, place))

    def _leaves_at(self, mark: _Mark) -> int:
        if mark.place is None or self._turn_from is None:
            return mark.at
        said_at = self._turn_from + int(self._text.at_s(mark.place) * _BYTES_PER_S)
        return max(mark.at, said_at)

    def played(self, seconds: float, now_s: float) -> None:
        """The output has played so much."""
        self._lead.played(seconds, now_s)

    # --- the user -------------------------------------------------------------------------------

    @property
    def held_until_s(self) -> float:
        """Until when the bot pauses, if nothing else happens; in the past when it does not."""
        return self._barge_in.until_s

    def voice_hinted(self, now_s: float) -> None:
        """The local VAD hears what may be the user; if the bot speaks, it pauses for a moment."""
        if self._is_speaking or self._audio:
            was_on = self._barge_in.is_on(now_s)
            self._barge_in.voice_hinted(now_s)
            self.measures.holds += self._barge_in.is_on(now_s) and not was_on

    def voice_began(self, now_s: float) -> None:
        """The local VAD hears the user; if the bot speaks, it pauses."""
        if self._is_speaking or self._audio:
            self.measures.holds += not self._barge_in.is_on(now_s)
            self._barge_in.voice_began(now_s, model_decides=self._turn_from is not None)

    def voice_ended(self, now_s: float) -> None:
        """The local VAD does not hear the user any more."""
        self._barge_in.voice_ended(now_s)

    def cut(self) -> None:
        """The bot is interrupted: what was not heard is dropped, except what must not get lost."""
        self.measures.cuts += self._is_speaking or bool(self._audio)
        self._audio.clear()
        self._marks = deque(replace(m, at=0) for m in self._marks if not m.frame.interruptible)
        self._arrival.ended()
        self._barge_in.ended()
        self._turn_from = None
        self._is_speaking = False
        self._lead.dropped()

    def is_cut_by_voice(self, now_s: float) -> bool:
        """Whether the user cuts in where the model, whose turn is over, does not say so."""
        return self._barge_in.is_on(now_s) and now_s >= self._barge_in.meant_s

    # --- out ------------------------------------------------------------------------------------

    def next(self, now_s: float) -> Frame | None:
        """Take out the frame that is to leave now, if there is one."""
        if self._barge_in.is_on(now_s):
            return None
        if self._is_mark_next or now_s >= self._unsaid_due_s:
            return self._take_mark()
        if self._audio and now_s >= self._speech_due_s():
            return self._take_speech(now_s)
        return None

    def next_due_s(self, now_s: float) -> float:
        """When `next` or `is_cut_by_voice` has something, if nothing else happens; inf: never."""
        if self._barge_in.is_on(now_s):
            return min(self._barge_in.until_s, self._barge_in.meant_s)
        if self._is_mark_next:
            return now_s
        return self._speech_due_s() if self._audio else self._unsaid_due_s

    @property
    def _unsaid_due_s(self) -> float:
        """When words that wait for their speech are taken to be said: no more of it comes."""
        has_spoken = self._turn_from is not None and self._left > self._turn_from
        return (
            self._lead.end_s + SAID_S
            if self._marks and not self._audio and has_spoken
            else math.inf
        )

    @property
    def _is_mark_next(self) -> bool:
        return bool(self._marks) and self._leaves_at(self._marks[0]) <= self._left

    def _speech_due_s(self) -> float:
        early_s = AHEAD_S - PIECE_S if self._is_piece_whole else LAST_MOMENT_S
        return max(self._lead.due_s(early_s), self._ready_s)

    @property
    def _is_piece_whole(self) -> bool:
        return min(len(self._audio), self._until_mark) >= _PIECE or self._until_mark < _PIECE

    @property
    def _until_mark(self) -> float:
        """How many bytes are left before the end of a stretch of speech."""
        return next((m.at - self._left for m in self._marks if m.ends_speech), math.inf)

    def _take_mark(self) -> Frame:
        mark = self._marks.popleft()
        if mark.ends_speech:
            self._is_speaking = False
        return mark.frame

    def _take_speech(self, now_s: float) -> TTSAudioRawFrame:
        self._measure(now_s)
        size = int(min(_PIECE, len(self._audio), self._until_mark))
        pcm = bytes(self._audio[:size]) + bytes(_PIECE - size)
        del self._audio[:size]
        self._left += size
        self._is_speaking = True
        self._lead.gave(now_s)
        return TTSAudioRawFrame(audio=pcm, sample_rate=RATE_HZ, num_channels=1)

    def _measure(self, now_s: float) -> None:
        to, held_until_s = self.measures, self._barge_in.until_s
        if self._is_speaking:
            break_s = now_s - max(self._lead.end_s, held_until_s)
            to.breaks += break_s > BREAK_S
            to.longest_break_s = max(to.longest_break_s, break_s if break_s > BREAK_S else 0.0)
        elif self._came_s > self._lead.end_s:
            delay_s = now_s - max(self._came_s, held_until_s)
            to.longest_delay_s = max(to.longest_delay_s, delay_s)


def _is_speech(frame: Frame) -> TypeGuard[TTSAudioRawFrame]:
    """Whether it is speech of the model's; any other sound only keeps its place in the line."""
    return (
        isinstance(frame, TTSAudioRawFrame)
        and (frame.sample_rate, frame.num_channels) == (RATE_HZ, 1)
        and frame.interruptible
    )
