"""When speech and what belongs to it leave for the output, on a clock that the test moves."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    LLMContextUserTurnFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.utils.text.base_text_aggregator import TextType

from pipeline.arrival import MAX_DELAY_S
from pipeline.barge_in import AFTER_VOICE_S, HINT_S, MAX_HOLD_S, MEANT_S
from pipeline.lead import AHEAD_S, PIECE_S
from pipeline.playout_buffer import RATE_HZ, SAID_S, PlayoutBuffer

TICK_S = 0.001


@dataclass
class Line:
    """A buffer, a clock, and an output that plays what it is given."""

    buffer: PlayoutBuffer = field(default_factory=PlayoutBuffer)
    now_s: float = 100.0
    tells: bool = True
    left: list[tuple[float, Frame]] = field(default_factory=list)
    most_ahead_s: float = 0.0
    spoken: int = 0
    _ends: list[float] = field(default_factory=list)

    def put(self, *frames: Frame) -> None:
        for frame in frames:
            self.buffer.put(frame, self.now_s)
        self._let_out()

    def wait(self, seconds: float) -> None:
        """Let time pass, as in the processor: whatever is due leaves when it is due."""
        until_s = self.now_s + seconds
        while True:
            due_s = max(self.buffer.next_due_s(self.now_s), self.now_s)
            at_s = min([due_s, until_s, *self._ends[:1]])
            self.now_s = at_s
            if self._ends and at_s >= self._ends[0]:
                self._ends.pop(0)
                if self.tells:
                    self.buffer.played(PIECE_S, at_s)
            self._let_out()
            if at_s >= until_s:
                return

    def _let_out(self) -> None:
        while (frame := self.buffer.next(self.now_s)) is not None:
            self.left.append((self.now_s, frame))
            if isinstance(frame, TTSAudioRawFrame):
                self._ends.append(max([self.now_s, *self._ends[-1:]]) + PIECE_S)
                self.most_ahead_s = max(self.most_ahead_s, self._ends[-1] - self.now_s)

    # --- what the service pushes ------------------------------------------------------------------

    def begins(self) -> None:
        self.put(TTSStartedFrame(), LLMFullResponseStartFrame())

    def speech(self, seconds: float) -> None:
        """Speech in which every sample is another than those around it."""
        samples = round(seconds * RATE_HZ)
        numbers = 1 + np.arange(self.spoken, self.spoken + samples) % 30_000
        self.spoken += samples
        self.put(TTSAudioRawFrame(numbers.astype(np.int16).tobytes(), RATE_HZ, 1))

    def says(self, text: str) -> None:
        llm = LLMTextFrame(text)
        llm.append_to_context = False
        tts = TTSTextFrame(text, text_type=TextType.SENTENCE)
        tts.includes_inter_frame_spaces = True
        self.put(llm, tts)

    def ends(self) -> None:
        self.put(TTSStoppedFrame(), LLMFullResponseEndFrame())

    # --- what left --------------------------------------------------------------------------------

    def times(self, kind: type) -> list[float]:
        return [at_s for at_s, frame in self.left if isinstance(frame, kind)]

    def frames(self) -> list[Frame]:
        return [frame for _, frame in self.left if not isinstance(frame, TTSAudioRawFrame)]

    def words(self) -> str:
        return "".join(f.text for _, f in self.left if isinstance(f, TTSTextFrame))

    def heard(self) -> np.ndarray:
        """The samples that left, without the silence that fills a last piece."""
        frames = [f for _, f in self.left if isinstance(f, TTSAudioRawFrame)]
        samples = np.frombuffer(b"".join(frame.audio for frame in frames), np.int16)
        return samples[samples != 0]

    def expected(self, samples: int | None = None) -> np.ndarray:
        return 1 + np.arange(self.spoken if samples is None else samples) % 30_000


def speaking(seconds: float = 5.0) -> Line:
    """A bot that has said a second of its turn, all of which is there."""
    line = Line()
    line.begins()
    line.speech(seconds)
    line.wait(1.0)
    return line


# --- pace ------------------------------------------------------------------------------------------


def test_the_first_sound_of_a_burst_leaves_at_once():
    line = Line()
    line.begins()
    line.speech(0.2)
    assert line.times(TTSAudioRawFrame)[0] == line.now_s
    assert line.buffer.measures.longest_delay_s == 0


@pytest.mark.parametrize("tells", [True, False])
def test_speech_leaves_just_ahead_of_what_is_played(tells):
    line = Line(tells=tells)
    line.begins()
    line.speech(3.0)
    line.ends()
    line.wait(4.0)
    times = line.times(TTSAudioRawFrame)
    assert line.most_ahead_s <= AHEAD_S + TICK_S
    assert times[-1] - times[0] == pytest.approx(3.0 - AHEAD_S, abs=0.01)
    assert line.buffer.measures.breaks == 0


@pytest.mark.parametrize("piece_s", [0.2, 0.0503, 0.013])
def test_every_sample_leaves_once_in_whole_pieces(piece_s):
    line = Line()
    line.begins()
    for _ in range(20):
        line.speech(piece_s)
        line.wait(piece_s / 4)
    line.ends()
    line.wait(5.0)
    assert np.array_equal(line.heard(), line.expected())
    sizes = {len(f.audio) for _, f in line.left if isinstance(f, TTSAudioRawFrame)}
    assert sizes == {int(PIECE_S * RATE_HZ * 2)}


def test_a_rest_that_fills_no_piece_leaves_before_it_becomes_silent():
    line = Line()
    line.begins()
    line.speech(0.1)
    line.wait(1.0)
    assert np.array_equal(line.heard(), line.expected())
    assert line.times(TTSAudioRawFrame)[-1] < 100.08


def test_nothing_is_due_when_there_is_nothing():
    assert PlayoutBuffer().next_due_s(1.0) == math.inf
    assert PlayoutBuffer().next(1.0) is None


def test_other_sound_keeps_its_place_and_is_not_cut():
    line = Line()
    line.begins()
    line.speech(0.4)
    other = TTSAudioRawFrame(bytes(320_000), 16_000, 1)
    line.put(other)
    line.wait(0.2)
    assert other not in line.frames() + [frame for _, frame in line.left]
    line.wait(0.4)
    assert line.left[-1][1] is other


# --- what belongs to the speech ----------------------------------------------------------------------


def test_the_frames_of_a_turn_leave_in_order_around_the_speech():
    line = Line()
    line.begins()
    line.speech(0.4)
    line.ends()
    line.wait(1.0)
    kinds = [TTSStartedFrame, LLMFullResponseStartFrame, TTSStoppedFrame, LLMFullResponseEndFrame]
    assert [type(frame) for frame in line.frames()] == kinds
    assert line.times(TTSStoppedFrame)[0] >= line.times(TTSAudioRawFrame)[-1]


def test_words_leave_when_they_are_said_and_not_when_they_come():
    line = Line()
    line.begins()
    line.says("sixteen letters! " * 10)
    line.speech(10.0)
    line.wait(5.0)
    said = line.words().count("!")
    assert said in (4, 5)
    line.wait(5.0)
    assert line.words().count("!") in (9, 10)


def test_words_are_not_said_before_the_speech_that_came_before_them():
    line = Line()
    line.begins()
    line.speech(2.0)
    line.says("late ")
    line.wait(1.9)
    assert line.words() == ""
    line.wait(0.2)
    assert line.words() == "late "


def test_all_words_of_a_turn_have_left_when_it_ends():
    line = Line()
    line.begins()
    line.says("more words than there is time for them " * 3)
    line.speech(1.0)
    line.ends()
    line.wait(2.0)
    assert line.words() == "more words than there is time for them " * 3
    assert isinstance(line.left[-1][1], LLMFullResponseEndFrame)


def test_where_no_end_is_told_the_last_words_leave_soon_after_the_last_speech():
    line = Line()
    line.begins()
    line.says("more words than there is time for them " * 3)
    line.wait(5.0)
    assert line.words() == "", "nothing of it has been said"
    line.speech(1.0)
    line.wait(1.0 + SAID_S - 0.1)
    assert line.words().count("more") < 3
    line.wait(0.2)
    assert line.words() == "more words than there is time for them " * 3


def test_text_outside_of_a_turn_leaves_in_its_place():
    line = Line()
    line.says("Hello. ")
    assert line.words() == "Hello. "


def test_words_that_come_after_their_turn_stay_together():
    line = Line()
    line.begins()
    line.speech(0.4)
    line.ends()
    line.says(" are five words in all")
    line.wait(1.0)
    texts = [frame.text for frame in line.frames() if isinstance(frame, TTSTextFrame)]
    assert texts == [" are five words in all"]


def test_what_belongs_to_no_turn_keeps_its_place_and_ends_nothing():
    line = Line()
    line.begins()
    line.speech(0.2)
    line.put(LLMContextUserTurnFrame("the question", timestamp="2026-01-01T00:00:00"))
    line.says("word ")
    line.speech(0.2)
    line.wait(1.0)
    assert np.array_equal(line.heard(), line.expected())
    assert len(line.times(TTSAudioRawFrame)) == round(0.4 / PIECE_S)
    assert [type(f) for f in line.frames()[2:]] == [
        LLMContextUserTurnFrame,
        LLMTextFrame,
        TTSTextFrame,
    ]


def test_the_end_waits_until_all_was_played():
    line = Line()
    line.begins()
    line.says("the very last words")
    line.speech(1.0)
    line.put(EndFrame())
    line.wait(0.9)
    assert not line.times(EndFrame)
    line.wait(0.2)
    assert line.times(EndFrame) and line.words() == "the very last words"


# --- the user is heard -------------------------------------------------------------------------------


def test_speech_stops_when_the_user_is_heard_and_goes_on_where_it_stopped():
    line = speaking()
    began_s = line.now_s
    line.buffer.voice_began(line.now_s)
    line.wait(0.3)
    line.buffer.voice_ended(line.now_s)
    line.wait(AFTER_VOICE_S - TICK_S)
    assert line.times(TTSAudioRawFrame)[-1] <= began_s
    line.ends()
    line.wait(10.0)
    assert np.array_equal(line.heard(), line.expected())
    resumed_s = next(at_s for at_s in line.times(TTSAudioRawFrame) if at_s > began_s)
    assert resumed_s == pytest.approx(began_s + 0.3 + AFTER_VOICE_S, abs=0.01)
    assert (line.buffer.measures.holds, line.buffer.measures.breaks) == (1, 0)


def test_a_turn_does_not_end_while_it_is_held():
    line = speaking(1.0)
    line.buffer.voice_began(line.now_s)
    line.ends()
    line.wait(MAX_HOLD_S - 0.01)
    assert not line.times(LLMFullResponseEndFrame)
    line.wait(0.1)
    assert line.times(LLMFullResponseEndFrame)


def test_what_comes_while_speech_is_held_is_no_break():
    line = Line()
    line.begins()
    for _ in range(5):
        line.speech(0.2)
        line.wait(0.19)
    line.buffer.voice_began(line.now_s)
    for _ in range(5):
        line.speech(0.2)
        line.wait(0.2)
    line.buffer.voice_ended(line.now_s)
    line.wait(10.0)
    assert np.array_equal(line.heard(), line.expected())
    assert line.buffer.measures.breaks == 0


def test_speech_pauses_for_what_may_be_the_user_and_goes_on_by_itself():
    line = speaking()
    began_s = line.now_s
    line.buffer.voice_hinted(line.now_s)
    line.buffer.voice_hinted(line.now_s)
    assert line.buffer.held_until_s == began_s + HINT_S
    line.ends()
    line.wait(10.0)
    assert np.array_equal(line.heard(), line.expected())
    resumed_s = next(at_s for at_s in line.times(TTSAudioRawFrame) if at_s > began_s)
    assert resumed_s == pytest.approx(began_s + HINT_S, abs=0.01)
    assert (line.buffer.measures.holds, line.buffer.measures.breaks) == (1, 0)


def test_a_bot_that_does_not_speak_pauses_for_nothing():
    line = Line()
    line.buffer.voice_hinted(line.now_s)
    line.begins()
    line.speech(0.2)
    assert line.times(TTSAudioRawFrame)
    assert line.buffer.measures.holds == 0


def test_a_bot_that_does_not_speak_is_not_held():
    line = Line()
    line.buffer.voice_began(line.now_s)
    line.begins()
    line.speech(0.2)
    assert line.times(TTSAudioRawFrame)
    assert line.buffer.measures.holds == 0


def test_an_interruption_drops_what_was_not_heard_and_nothing_else():
    line = Line()
    line.begins()
    line.says("one two three four five six seven eight nine ten " * 4)
    line.speech(10.0)
    line.wait(1.0)
    line.buffer.voice_began(line.now_s)
    line.wait(0.3)
    line.ends()
    must_stay = EndFrame()
    line.put(must_stay)
    before = list(line.left)
    line.buffer.cut()
    line.wait(1.0)
    assert [frame for _, frame in line.left[len(before) :]] == [must_stay]
    assert line.words() == "one two three four"
    assert line.buffer.measures.cuts == 1


def test_after_an_interruption_the_next_turn_begins_at_once():
    line = speaking()
    line.buffer.cut()
    line.put(TTSStoppedFrame())
    line.begins()
    line.says("again ")
    line.speech(0.5)
    assert line.times(TTSAudioRawFrame)[-1] == line.now_s
    line.wait(0.4)
    assert line.words() == "again "


def test_a_cut_of_nothing_is_not_counted():
    line = Line()
    line.buffer.cut()
    assert line.buffer.measures.cuts == 0


def test_while_the_model_speaks_it_alone_says_what_an_interruption_is():
    line = speaking()
    line.buffer.voice_began(line.now_s)
    line.wait(MAX_HOLD_S - 0.1)
    assert not line.buffer.is_cut_by_voice(line.now_s)


def test_after_the_models_turn_a_voice_that_goes_on_is_an_interruption():
    line = speaking()
    line.ends()
    line.buffer.voice_began(line.now_s)
    line.wait(MEANT_S - TICK_S)
    assert not line.buffer.is_cut_by_voice(line.now_s)
    assert line.buffer.next_due_s(line.now_s) == pytest.approx(line.now_s + TICK_S)
    line.wait(TICK_S)
    assert line.buffer.is_cut_by_voice(line.now_s)


def test_after_the_models_turn_a_short_voice_is_none():
    line = speaking()
    line.ends()
    line.buffer.voice_began(line.now_s)
    line.wait(0.5)
    line.buffer.voice_ended(line.now_s)
    line.wait(10.0)
    assert not line.buffer.is_cut_by_voice(line.now_s)
    assert np.array_equal(line.heard(), line.expected())


# --- speech that comes late --------------------------------------------------------------------------


def test_a_break_is_measured():
    line = Line()
    line.begins()
    line.speech(0.2)
    line.wait(0.5)
    line.speech(0.2)
    measures = line.buffer.measures
    assert measures.breaks == 1
    assert measures.longest_break_s == pytest.approx(0.3, abs=0.001)


def slow(line: Line, *, seconds: float, speed: float) -> None:
    """A turn that comes at a constant speed, in pieces of 0.2 s."""
    line.begins()
    for _ in range(round(seconds / 0.2)):
        line.speech(0.2)
        line.wait(0.2 / speed)
    line.ends()
    line.wait(2.0)


def test_speech_that_comes_too_slowly_breaks_off_seldom():
    line = Line()
    slow(line, seconds=6.0, speed=0.9)
    assert line.buffer.measures.breaks <= 4  # 29 if it went on with each piece
    assert line.buffer.measures.longest_break_s <= MAX_DELAY_S


def test_speech_that_comes_a_little_too_slowly_does_not_break_off_the_next_time():
    line = Line()
    slow(line, seconds=4.0, speed=0.95)
    assert line.buffer.measures.breaks > 0
    before = line.buffer.measures.breaks
    slow(line, seconds=4.0, speed=0.95)
    assert line.buffer.measures.breaks == before
    assert 0.1 < line.buffer.measures.longest_delay_s <= MAX_DELAY_S
    assert np.array_equal(line.heard(), line.expected())


def test_a_burst_does_not_wait_for_the_slowness_of_the_last_turn_once_enough_is_there():
    line = Line()
    slow(line, seconds=4.0, speed=0.95)
    line.begins()
    line.speech(MAX_DELAY_S)
    assert line.times(TTSAudioRawFrame)[-1] == line.now_s


def test_a_turn_that_is_complete_waits_for_nothing():
    line = Line()
    slow(line, seconds=4.0, speed=0.95)
    line.begins()
    line.speech(0.1)
    assert line.times(TTSAudioRawFrame)[-1] < line.now_s
    line.ends()
    assert line.times(TTSAudioRawFrame)[-1] == line.now_s


def test_a_wait_is_not_counted_for_speech_that_stands_in_line():
    line = Line()
    line.begins()
    line.speech(2.0)
    line.ends()
    line.begins()
    line.speech(1.0)
    line.wait(5.0)
    assert line.buffer.measures.longest_delay_s == 0
    assert line.buffer.measures.breaks == 0
