"""A caller who says nothing is asked, and then let go; nobody who waits for something is."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.phone.silence import Silence, Silent

LIMIT_S = 12.0


def silence() -> Silence:
    return Silence(limit_s=LIMIT_S, now_s=100.0)


def test_they_are_asked_after_the_limit_and_let_go_after_as_long_again():
    quiet = silence()
    assert quiet.check(111.9, is_busy=False) is None
    assert quiet.check(112.0, is_busy=False) is Silent.ASK
    assert quiet.check(123.9, is_busy=False) is None
    assert quiet.check(124.0, is_busy=False) is Silent.GIVE_UP
    assert quiet.check(999.0, is_busy=False) is None, "once"


def test_who_answers_is_asked_again_the_next_time():
    quiet = silence()
    assert quiet.check(112, is_busy=False) is Silent.ASK
    quiet.caller_is_there(115)
    assert quiet.check(126, is_busy=False) is None
    assert quiet.check(127, is_busy=False) is Silent.ASK


def test_time_in_which_something_goes_on_does_not_count():
    quiet = silence()
    assert quiet.check(500, is_busy=True) is None
    assert quiet.check(511, is_busy=False) is None
    assert quiet.check(512, is_busy=False) is Silent.ASK
    assert quiet.check(600, is_busy=True) is None, "the bot speaks: no answer of the caller's"
    assert quiet.check(612, is_busy=False) is Silent.GIVE_UP


@given(st.lists(st.tuples(st.floats(0.1, 30), st.sampled_from(["wait", "busy", "caller"]))))
def test_nothing_is_due_early_nor_the_end_before_the_question(steps):
    quiet, now_s, since_s, due = silence(), 100.0, 100.0, []
    for passed_s, what in steps:
        now_s += passed_s
        step = None
        if what == "caller":
            quiet.caller_is_there(now_s)
            due = [] if Silent.GIVE_UP not in due else due
        else:
            step = quiet.check(now_s, is_busy=what == "busy")
        if step:
            assert what == "wait" and now_s - since_s >= LIMIT_S
            assert due == ([] if step is Silent.ASK else [Silent.ASK])
            due.append(step)
        if step or what != "wait":
            since_s = now_s
