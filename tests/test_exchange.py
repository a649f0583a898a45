import pytest

from pipeline.exchange import MAX_QUESTION_S, PREROLL_S, Continue, Exchange, Recall
from pipeline.waiting import Audio

RATE_HZ = 16_000


def speak(exchange: Exchange, seconds: float, value: int = 1) -> None:
    for _ in range(round(seconds / 0.02)):
        exchange.sent(Audio(bytes([value, 0]) * (RATE_HZ // 50), RATE_HZ))


def seconds(entries: list) -> float:
    return sum(entry.duration_s for entry in entries if isinstance(entry, Audio))


def test_nothing_asked_nothing_repeated():
    exchange = Exchange()
    assert not exchange.is_open
    assert exchange.repeat(can_continue=True) == []


def test_the_latest_sound_is_repeated_once_because_it_may_be_the_beginning_of_a_question():
    exchange = Exchange()
    speak(exchange, 5.0)
    assert not exchange.is_open
    assert seconds(exchange.repeat(can_continue=True)) == pytest.approx(PREROLL_S, abs=0.021)
    assert not exchange.is_open
    assert exchange.repeat(can_continue=True) == []


def test_a_question_is_repeated_with_what_came_just_before_it():
    exchange = Exchange()
    speak(exchange, 5.0, value=0)
    exchange.user_began()
    speak(exchange, 2.0)
    entries = exchange.repeat(can_continue=True)
    assert seconds(entries) == pytest.approx(PREROLL_S + 2.0, abs=0.021)


def test_who_goes_on_speaking_asks_one_question():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 1.0)
    exchange.user_began()
    speak(exchange, 1.0)
    assert seconds(exchange.repeat(can_continue=True)) == pytest.approx(2.0)


def test_a_question_that_was_answered_is_not_repeated():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 2.0)
    exchange.transcribed("What time is it?")
    exchange.answered("It is noon.")
    exchange.settled()
    assert not exchange.is_open and exchange.repeat(can_continue=True) == []


def test_what_is_typed_and_shown_is_a_question_too():
    exchange = Exchange()
    exchange.sent("a picture")
    exchange.sent("what is this?")
    assert exchange.repeat(can_continue=True) == ["a picture", "what is this?"]


def test_a_cut_answer_goes_on_where_it_stopped():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 2.0)
    exchange.transcribed(" What time ")
    exchange.transcribed("is it?")
    exchange.answered("")
    exchange.answered("It is ")
    exchange.answered("almost")
    assert exchange.repeat(can_continue=True) == [
        Continue(asked="What time  is it?", answered="It is almost")
    ]


def test_a_cut_answer_is_given_again_when_it_may_not_go_on():
    exchange = Exchange()
    exchange.sent("what time is it?")
    exchange.typed("what time is it?")
    exchange.answered("It is")
    assert exchange.repeat(can_continue=False) == ["what time is it?"]


def test_a_cut_answer_to_a_question_of_unknown_words_is_given_again():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 2.0)
    exchange.answered("It is")
    assert seconds(exchange.repeat(can_continue=True)) == pytest.approx(2.0)


def test_an_answer_that_is_all_there_is_not_given_again_but_the_model_is_told_of_it():
    exchange = Exchange()
    exchange.sent("what time is it?")
    exchange.transcribed("what time is it?")
    exchange.answered("It is noon.")
    exchange.generated()
    assert exchange.repeat(can_continue=True) == [
        Recall(asked="what time is it?", answered="It is noon.")
    ]
    assert not exchange.is_open


def test_of_an_answer_in_unknown_words_the_model_is_told_nothing():
    exchange = Exchange()
    exchange.sent("a picture")
    exchange.answered("")
    exchange.generated()
    exchange.user_began()
    speak(exchange, 1.0)
    assert seconds(exchange.repeat(can_continue=True)) == pytest.approx(1.0)


def test_what_is_generated_without_an_answer_is_nothing():
    exchange = Exchange()
    exchange.sent("first")
    exchange.generated()
    assert exchange.repeat(can_continue=True) == ["first"]


def test_who_speaks_into_an_answer_asks_the_next_question():
    exchange = Exchange()
    exchange.sent("first")
    exchange.answered("It is")
    exchange.user_began()
    speak(exchange, 1.0)
    exchange.settled()  # interrupted
    assert exchange.is_open
    assert seconds(exchange.repeat(can_continue=True)) == pytest.approx(1.0)


def test_both_questions_are_repeated_while_the_first_is_being_answered():
    exchange = Exchange()
    exchange.sent("first")
    exchange.answered("It is")
    exchange.sent("second")
    assert exchange.repeat(can_continue=True) == ["first", "second"]


def test_what_was_repeated_is_repeated_again_until_it_is_answered():
    exchange = Exchange()
    exchange.sent("first")
    exchange.answered("It is")
    exchange.sent("second")
    for _ in range(3):
        entries = exchange.repeat(can_continue=True)
        assert entries == ["first", "second"]
        for entry in entries:
            exchange.sent(entry)
    exchange.answered("Both.")
    exchange.settled()
    assert exchange.repeat(can_continue=True) == []


def test_the_words_of_a_repeated_question_are_known_already():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 2.0)
    assert not exchange.is_transcribed
    exchange.transcribed("What time is it?")
    exchange.repeat(can_continue=True)
    assert exchange.is_transcribed


def test_a_repeated_question_is_transcribed_once():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 2.0)
    assert exchange.transcribed("What ti") == "What ti"
    exchange.repeat(can_continue=True)
    assert [exchange.transcribed(piece) for piece in ("What ", "time ", "is it?")] == [
        "",
        "me ",
        "is it?",
    ]
    exchange.repeat(can_continue=True)
    assert exchange.transcribed("What time is it?") == ""


def test_typed_words_do_not_hide_what_was_said_before_them():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 2.0)
    exchange.sent("typed")
    exchange.typed("typed")
    exchange.repeat(can_continue=True)
    assert exchange.transcribed("What time is it?") == "What time is it?"


def test_a_turn_without_an_answer_passes_over_its_question():
    exchange = Exchange()
    assert not exchange.is_passed_over
    exchange.sent("what time is it?")
    assert exchange.is_passed_over
    exchange.answered("It is noon.")
    assert not exchange.is_passed_over


def test_words_without_a_question_are_nobodys():
    exchange = Exchange()
    exchange.typed("Noise.")
    assert exchange.transcribed("Noise.") == "Noise."
    assert not exchange.is_transcribed


def test_the_end_of_a_monologue_is_repeated_and_what_is_not_is_counted():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 10.0, value=1)
    speak(exchange, MAX_QUESTION_S, value=2)
    entries = exchange.repeat(can_continue=True)
    assert seconds(entries) == pytest.approx(MAX_QUESTION_S, abs=0.021)
    assert isinstance(entries[1], Audio) and entries[1].pcm[0] == 2
    assert exchange.take_lost_s() == pytest.approx(10.0, abs=0.021)
    assert exchange.take_lost_s() == 0


def test_an_uh_huh_during_an_answer_is_no_question():
    exchange = Exchange()
    exchange.sent("first")
    exchange.answered("It is")
    exchange.user_began()
    speak(exchange, 0.5)
    exchange.was_not_interrupted()
    exchange.settled()
    assert not exchange.is_open


def test_what_is_typed_during_an_answer_is_a_question():
    exchange = Exchange()
    exchange.sent("first")
    exchange.answered("It is")
    exchange.sent("second")
    exchange.was_not_interrupted()
    exchange.settled()
    assert exchange.is_open


def test_a_cut_answer_goes_on_after_what_was_spoken_and_not_after_what_was_sent():
    exchange = Exchange()
    exchange.sent("what time is it?")
    exchange.typed("what time is it?")
    exchange.was_cut(1.0)  # of no answer
    exchange.answered("It is almost noon, and the sun is shining.")
    exchange.was_cut(1.0)
    (cut,) = exchange.repeat(can_continue=True)
    assert cut == Continue(asked="what time is it?", answered="It is almost")


def test_after_an_answer_that_goes_on_words_are_new():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 2.0)
    exchange.transcribed("What time is it?")
    exchange.answered("It is")
    exchange.repeat(can_continue=True)
    assert exchange.transcribed("Hello?") == "Hello?"


def test_both_questions_are_transcribed_once():
    exchange = Exchange()
    exchange.sent("first")
    exchange.answered("It is")
    exchange.user_began()
    speak(exchange, 1.0)
    exchange.transcribed("And now?")
    exchange.repeat(can_continue=True)
    assert exchange.transcribed("And now?") == ""


def test_noise_is_no_question():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 0.5)
    exchange.was_noise()
    assert not exchange.is_open


def test_words_are_not_noise():
    exchange = Exchange()
    exchange.sent("typed")
    exchange.typed("typed")
    exchange.was_noise()
    assert exchange.is_open


def test_noise_during_an_answer_leaves_its_question_open():
    exchange = Exchange()
    exchange.user_began()
    speak(exchange, 0.5)
    exchange.answered("It is")
    exchange.was_noise()
    assert exchange.is_open
