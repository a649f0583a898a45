from pipeline.calls import Calls

OSLO = {"city": "Oslo", "unit": "C"}


def test_a_call_is_answered_under_its_own_id():
    calls = Calls()
    assert calls.called("1", "weather", OSLO) is None
    assert calls.is_any and calls.is_any_awaited
    assert calls.returned("1", {"degrees": 5}) == "1"
    assert not calls.is_any_awaited


def test_a_result_that_comes_after_the_drop_waits_to_be_asked_for_again():
    calls = Calls()
    calls.called("1", "weather", OSLO)
    calls.connection_lost()
    assert calls.returned("1", {"degrees": 5}) is None
    again = calls.called("2", "weather", {"unit": "C", "city": "Oslo"})
    assert again is not None
    assert (again.id, again.answer_to, again.response) == ("1", "2", {"degrees": 5})


def test_a_call_that_is_repeated_while_it_runs_is_answered_under_the_new_id():
    calls = Calls()
    calls.called("1", "weather", OSLO)
    calls.connection_lost()
    again = calls.called("2", "weather", OSLO)
    assert again is not None and again.response is None
    assert calls.returned("1", {"degrees": 5}) == "2"


def test_a_result_that_was_sent_to_a_dying_connection_is_given_again():
    calls = Calls()
    calls.called("1", "weather", OSLO)
    calls.returned("1", {"degrees": 5})
    calls.connection_lost()
    again = calls.called("2", "weather", OSLO)
    assert again is not None and again.response == {"degrees": 5}


def test_another_question_is_another_call():
    calls = Calls()
    calls.called("1", "weather", OSLO)
    calls.connection_lost()
    assert calls.called("2", "weather", {"city": "Rome"}) is None
    assert calls.called("3", "time", OSLO) is None


def test_two_equal_calls_on_one_connection_are_two():
    calls = Calls()
    assert calls.called("1", "dice", {}) is None
    assert calls.called("2", "dice", {}) is None


def test_the_model_cancels_what_it_called():
    calls = Calls()
    calls.called("1", "weather", OSLO)
    calls.connection_lost()
    calls.called("2", "weather", OSLO)
    calls.called("3", "time", {})
    assert calls.cancelled(["2", "unknown"]) == ["1"]
    assert calls.is_any_awaited
    assert calls.cancelled(["3"]) == ["3"]
    assert not calls.is_any_awaited and not calls.is_any


def test_what_nobody_asked_for_again_is_stopped():
    calls = Calls()
    calls.called("1", "weather", OSLO)
    calls.called("2", "time", {})
    calls.returned("2", {})
    calls.connection_lost()
    assert calls.settled() == ["1"]
    assert not calls.is_any


def test_a_result_of_an_unknown_call_goes_where_it_says():
    assert Calls().returned("9", {}) == "9"
