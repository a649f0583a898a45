from pipeline.patience import GIVE_UP_S, TELL_S, Patience, Silence


def test_who_expects_nothing_is_told_nothing():
    assert Patience().check(1e9) is None


def test_a_question_without_an_answer_is_told_once_and_given_up_once():
    patience = Patience()
    patience.asked(100.0)
    assert patience.check(100.0 + TELL_S - 0.1) is None
    assert patience.check(100.0 + TELL_S) is Silence.SLOW
    assert patience.check(100.0 + TELL_S + 1) is None
    assert patience.check(100.0 + GIVE_UP_S) is Silence.DEAD
    assert patience.check(100.0 + GIVE_UP_S + 1) is None


def test_the_next_question_is_waited_for_anew():
    patience = Patience()
    patience.asked(0.0)
    assert patience.check(GIVE_UP_S) is Silence.DEAD
    patience.asked(100.0)
    assert patience.check(100.0 + TELL_S) is Silence.SLOW


def test_asking_more_into_a_silence_does_not_make_it_shorter():
    patience = Patience()
    patience.asked(0.0)
    patience.asked(TELL_S - 0.1)
    assert patience.check(TELL_S) is Silence.SLOW
    patience.asked(TELL_S + 1)
    assert patience.check(GIVE_UP_S) is Silence.DEAD


def test_asking_during_the_answer_is_waited_for_from_then_on():
    patience = Patience()
    patience.asked(0.0)
    patience.heard(10.0)
    patience.asked(5.0)
    assert patience.check(5.0 + TELL_S) is Silence.SLOW


def test_over_a_new_connection_the_same_question_has_its_time_again_but_is_not_given_up_again():
    patience = Patience()
    patience.asked(0.0)
    assert patience.check(GIVE_UP_S) is Silence.DEAD
    patience.asked_again(20.0)
    assert patience.check(20.0 + TELL_S) is Silence.SLOW
    assert patience.check(20.0 + GIVE_UP_S) is Silence.HOPELESS
    assert patience.check(21.0 + GIVE_UP_S) is None


def test_what_is_expected_already_has_no_more_time():
    patience = Patience()
    patience.expects(0.0)
    patience.expects(TELL_S - 0.1)
    assert patience.check(TELL_S) is Silence.SLOW


def test_a_new_connection_expects_no_answer_by_itself():
    patience = Patience()
    patience.asked_again(0.0)
    assert patience.check(GIVE_UP_S) is None


def test_speech_is_waited_for_from_the_end_of_what_is_playing():
    patience = Patience()
    patience.asked(0.0)
    patience.heard(10.0)
    assert patience.check(10.0 + TELL_S - 0.1) is None
    assert patience.check(10.0 + TELL_S) is Silence.SLOW


def test_an_answer_that_is_complete_is_not_waited_for():
    patience = Patience()
    patience.asked(0.0)
    patience.settled()
    assert patience.check(GIVE_UP_S) is None
