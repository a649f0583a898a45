"""How late speech comes, how much of it the output has, when a word is said, what a voice means."""

import math

import pytest
from pipecat.frames.frames import TTSTextFrame
from pipecat.transports import base_output
from pipecat.utils.text.base_text_aggregator import TextType

from pipeline.arrival import HOPELESS_S, MAX_DELAY_S, Arrival
from pipeline.barge_in import AFTER_VOICE_S, HINT_EVERY_S, HINT_S, MAX_HOLD_S, MEANT_S, BargeIn
from pipeline.lead import AHEAD_S, PIECE_S, SILENT_S, Lead
from pipeline.spoken_text import SpokenText, in_words, spoken_within

# --- arrival ---------------------------------------------------------------------------------------


def stretch(arrival: Arrival, *, times_s: list[float], piece_s: float = 0.2) -> float:
    """Let a stretch of pieces arrive at these times; returns the delay of the next."""
    for at_s in times_s:
        arrival.came(piece_s, at_s)
    arrival.ended()
    return arrival.delay_s


BURST = [0.0, 0.05, 0.1, 0.15]


def test_speech_that_comes_in_a_burst_makes_nothing_wait():
    assert stretch(Arrival(), times_s=BURST) == 0


def test_speech_that_comes_late_makes_the_next_wait_for_as_long():
    assert stretch(Arrival(), times_s=[0.0, 0.3, 0.4]) == pytest.approx(0.1)


def test_the_wait_is_bounded():
    assert stretch(Arrival(), times_s=[0.0, 0.2 + HOPELESS_S - 0.01]) == MAX_DELAY_S


def test_a_wait_that_would_not_help_is_not_made():
    assert stretch(Arrival(), times_s=[0.0, 0.2 + HOPELESS_S + 0.01]) == 0


def test_the_wait_halves_while_speech_comes_in_time_and_ends():
    arrival = Arrival()
    stretch(arrival, times_s=[0.0, 0.3])
    delays = [stretch(arrival, times_s=BURST) for _ in range(3)]
    assert delays == pytest.approx([0.05, 0.025, 0.0])


def test_a_stretch_without_speech_teaches_nothing():
    arrival = Arrival()
    stretch(arrival, times_s=[0.0, 0.3])
    assert stretch(arrival, times_s=[]) == pytest.approx(0.1)


def test_one_break_may_be_chance_and_from_the_second_on_speech_is_gathered():
    arrival = Arrival()
    arrival.came(0.2, 0.0)
    assert [arrival.broke() for _ in range(3)] == [0.0, MAX_DELAY_S, MAX_DELAY_S]
    arrival.ended()
    arrival.came(0.2, 10.0)
    assert arrival.broke() == 0.0


# --- what the output has ---------------------------------------------------------------------------

EARLY_S = AHEAD_S - PIECE_S
PIECES = round(AHEAD_S / PIECE_S)


def test_by_the_clock_the_output_has_what_it_was_given():
    lead = Lead()
    assert lead.due_s(EARLY_S) == -math.inf
    lead.gave(1.0)
    assert lead.end_s == pytest.approx(1.0 + PIECE_S)
    lead.gave(1.01)
    assert lead.due_s(EARLY_S) == pytest.approx(1.0 + 2 * PIECE_S - EARLY_S)


def test_an_output_that_is_behind_the_clock_gets_no_more_than_it_can_have():
    lead, played_s = Lead(), 1.01 + AHEAD_S
    for _ in range(PIECES):
        lead.gave(1.0)
    lead.played(PIECE_S, played_s)  # by the clock, all of them
    assert lead.due_s(EARLY_S) < played_s
    lead.gave(played_s)
    assert lead.due_s(EARLY_S) == pytest.approx(played_s + SILENT_S)
    lead.played(PIECE_S, played_s + PIECE_S)
    assert lead.due_s(EARLY_S) <= played_s + PIECE_S


def test_an_output_that_says_nothing_any_more_is_left_to_the_clock():
    lead = Lead()
    lead.gave(1.0)
    lead.played(PIECE_S, 1.04)
    for _ in range(PIECES):
        lead.gave(1.04)
    late_s = lead.due_s(EARLY_S)
    assert late_s == pytest.approx(1.04 + SILENT_S)
    for pieces in range(1, 10):
        lead.gave(late_s)
        assert lead.due_s(EARLY_S) == pytest.approx(late_s + pieces * PIECE_S - EARLY_S)


def test_what_the_output_never_played_is_not_counted_for_ever():
    lead = Lead()
    lead.played(0.0, 0.9)
    lead.gave(1.0)  # it loses this one
    lead.gave(5.0)
    lead.played(PIECE_S, 5.04)
    lead.played(PIECE_S, 5.04)
    for _ in range(PIECES):
        lead.gave(5.04)
    assert lead.due_s(EARLY_S) == pytest.approx(5.04 + SILENT_S)


def test_what_the_output_threw_away_it_does_not_have():
    lead = Lead()
    lead.played(0.0, 0.9)
    lead.gave(1.0)
    lead.gave(1.0)
    lead.dropped()
    assert lead.due_s(EARLY_S) == lead.end_s == -math.inf


# --- what a voice means ----------------------------------------------------------------------------


def test_speech_is_held_while_the_voice_is_heard_and_a_moment_longer():
    voice = BargeIn()
    voice.voice_began(10.0, model_decides=True)
    voice.voice_ended(10.3)
    assert voice.is_on(10.3 + AFTER_VOICE_S - 0.01)
    assert not voice.is_on(10.3 + AFTER_VOICE_S)


def test_a_voice_that_comes_again_meanwhile_prolongs_it_within_the_bound():
    voice = BargeIn()
    voice.voice_began(10.0, model_decides=True)
    voice.voice_ended(10.3)
    voice.voice_began(10.5, model_decides=True)
    assert voice.until_s == 10.0 + MAX_HOLD_S


def test_a_noise_that_goes_on_does_not_silence_the_bot():
    voice = BargeIn()
    voice.voice_began(10.0, model_decides=True)
    assert not voice.is_on(10.0 + MAX_HOLD_S)
    voice.voice_ended(20.0)
    assert not voice.is_on(20.0)


def test_what_may_be_a_voice_is_waited_for_a_moment_and_not_again_at_once():
    voice = BargeIn()
    voice.voice_hinted(10.0)
    assert voice.is_on(10.0 + HINT_S - 0.01) and not voice.is_on(10.0 + HINT_S)
    voice.voice_hinted(10.0 + HINT_EVERY_S - 0.01)
    assert not voice.is_on(10.0 + HINT_EVERY_S - 0.01)
    voice.voice_hinted(10.0 + HINT_EVERY_S)
    assert voice.is_on(10.0 + HINT_EVERY_S)


def test_a_voice_that_was_hinted_at_is_held_from_then_on():
    voice = BargeIn()
    voice.voice_hinted(10.0)
    voice.voice_began(10.1, model_decides=True)
    voice.voice_hinted(10.2)
    assert voice.until_s == 10.0 + MAX_HOLD_S


def test_where_the_model_decides_no_voice_is_taken_for_an_interruption_here():
    voice = BargeIn()
    voice.voice_began(10.0, model_decides=True)
    assert voice.meant_s == math.inf


def test_where_the_model_can_not_decide_a_voice_that_goes_on_is_one():
    voice = BargeIn()
    voice.voice_began(10.0, model_decides=False)
    assert voice.meant_s == 10.0 + MEANT_S
    voice.voice_ended(10.5)
    assert voice.meant_s == math.inf


def test_nothing_is_held_when_nothing_is_left():
    voice = BargeIn()
    voice.voice_began(10.0, model_decides=False)
    voice.ended()
    assert not voice.is_on(10.0) and voice.meant_s == math.inf


def test_pipecats_output_keeps_a_rest_and_the_turn_for_longer_than_speech_is_held():
    assert MAX_HOLD_S + AHEAD_S < base_output.BOT_VAD_STOP_FALLBACK_SECS


# --- when a word is said ---------------------------------------------------------------------------


def piece(text: str, *, spaced: bool = True) -> TTSTextFrame:
    frame = TTSTextFrame(text, text_type=TextType.SENTENCE)
    frame.includes_inter_frame_spaces = spaced
    return frame


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello there, you ", ["Hello", " there,", " you "]),
        (" Hello", [" Hello"]),
        ("1, 2, 3.", ["1,", " 2,", " 3."]),
        (" ", [" "]),
        ("你好吗", ["你好吗"]),
    ],
)
def test_a_transcript_is_cut_into_its_words_and_nothing_gets_lost(text, words):
    cut = in_words(piece(text))
    assert [word.text for word in cut] == words
    assert "".join(words) == text
    assert all(word.includes_inter_frame_spaces for word in cut)
    assert {word.text_type for word in cut} == {TextType.SENTENCE}


def test_words_stay_out_of_the_context_with_their_piece():
    frame = piece("not for you")
    frame.append_to_context = False
    assert not any(word.append_to_context for word in in_words(frame))


def test_a_piece_without_its_spaces_stays_whole():
    frame = piece("one two", spaced=False)
    assert in_words(frame) == [frame]


def heard_at_s(spoken: SpokenText, text: str) -> float:
    return spoken.at_s(spoken.place(text))


def test_half_of_a_word_is_heard_after_all_that_comes_before_it():
    spoken = SpokenText()
    spoken.began()
    spoken.add("x" * 32)
    assert heard_at_s(spoken, "y" * 16) == pytest.approx((32 + 8) / 16)


def test_a_digit_takes_as_long_as_a_word():
    spoken = SpokenText()
    assert heard_at_s(spoken, "7") == heard_at_s(spoken, "seven")


def test_a_pause_between_sentences_takes_as_long_as_a_word():
    spoken = SpokenText()
    assert heard_at_s(spoken, "Yes.") == heard_at_s(spoken, "Yesterd,")


def test_it_learns_how_fast_the_voice_is():
    spoken = SpokenText()
    for _ in range(8):
        spoken.began()
        spoken.add("x" * 100)
        spoken.ended(10.0)
    spoken.add("x" * 50)
    assert heard_at_s(spoken, "") == pytest.approx(5.0, rel=0.01)


def test_it_learns_from_what_has_come_of_the_turn_itself():
    spoken = SpokenText()
    spoken.add("x" * 80)
    ten_seconds = spoken.place("")
    assert spoken.at_s(ten_seconds) == pytest.approx(5.0)
    spoken.came(9.0)
    for _ in range(30):
        spoken.add("x" * 8)
        spoken.came(1.0)
    assert spoken.at_s(ten_seconds) == pytest.approx(10.0, rel=0.1)


def test_speech_for_which_no_words_came_yet_is_ahead_of_none():
    """The transcript is ahead of the speech: when it is complete, speech still comes."""
    spoken = SpokenText()
    spoken.add("x" * 160)
    spoken.came(8.0)
    before = spoken.at_s(160.0)
    spoken.came(2.0)
    assert before < spoken.at_s(160.0) == pytest.approx(10.0)


@pytest.mark.parametrize(("text", "speech_s"), [("x" * 100, 0.5), ("", 10.0)])
def test_from_too_little_it_learns_nothing(text, speech_s):
    spoken = SpokenText()
    before = heard_at_s(spoken, "x")
    spoken.add(text)
    spoken.ended(speech_s)
    assert heard_at_s(spoken, "x") == before


def test_a_transcript_that_can_not_be_right_is_not_believed():
    spoken = SpokenText()
    for _ in range(50):
        spoken.add("x" * 10_000)
        spoken.ended(1.0)
    assert heard_at_s(spoken, "x" * 80) >= 1.0


def test_words_that_come_before_their_speech_are_not_said_yet():
    assert spoken_within("one two three four five", 0.5) == "one two"
    assert spoken_within("one two three four five", 5.0) == "one two three four five"
    assert spoken_within("one", 0.0) == ""
