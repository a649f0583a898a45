"""The link's decisions, without a socket and without sleeping."""

import pytest

from pipeline.link import (
    ATTEMPT_S,
    DEGRADED_AFTER_S,
    FIRST_PAUSE_S,
    HASTY_S,
    LATER_BUDGET_S,
    LEAVE_BEFORE_S,
    LONGEST_PAUSE_S,
    MAX_CHANGE_REFUSALS,
    MAX_DROPS,
    STABLE_S,
    Link,
    LinkState,
)
from pipeline.refusals import Refusal, Verdict

FORBIDDEN = Refusal(sentence="The key is bad.", verdict=Verdict.FORBIDDEN)
UNACCEPTABLE = Refusal(sentence="Invalid argument.", verdict=Verdict.UNACCEPTABLE)
PASSING = Refusal(sentence="Internal error.", verdict=Verdict.PASSING)
STALE = Refusal(sentence="Invalid session handle.", verdict=Verdict.STALE)
UNREACHABLE = Refusal(sentence="Nobody there.", verdict=Verdict.UNREACHABLE)


def a_link(**settings) -> Link:
    return Link(**{"first_budget_s": 8.0, "spread": lambda: 1.0, **settings})


def a_ready_link(*, handle: str | None = "h1", now_s: float = 0.0, **settings) -> Link:
    link = a_link(**settings)
    link.begin(now_s)
    assert not link.opened(now_s)
    if handle:
        link.remember(handle)
    return link


def a_changing_link() -> Link:
    """A link that has left a connection for one with other settings."""
    link = a_ready_link()
    link.change_wanted()
    link.left(20.0)
    link.setting_up()
    return link


def test_the_first_attempt_is_made_at_once_without_a_handle():
    link = a_link()
    attempt = link.begin(100.0)
    assert (attempt.at_s, attempt.until_s, attempt.handle) == (100.0, 100.0 + ATTEMPT_S, None)
    assert link.state is LinkState.CONNECTING and not link.is_up


def test_an_attempt_takes_no_longer_than_what_is_left_of_the_budget():
    link = a_link(first_budget_s=2.0)
    assert link.begin(0.0).until_s == 2.0


def test_a_new_session_knows_nothing_and_a_resumed_one_does():
    link = a_ready_link()
    assert link.state is LinkState.READY and link.is_up
    attempt = link.ended(PASSING, 20.0)
    assert attempt is not None and attempt.handle == "h1"
    assert link.opened(20.5)


@pytest.mark.parametrize("verdict", [FORBIDDEN, UNACCEPTABLE])
def test_a_setup_that_will_be_refused_again_ends_it_at_once(verdict):
    link = a_link()
    link.begin(0.0)
    assert link.ended(verdict, 0.1) is None
    assert link.state is LinkState.FAILED and link.refusal is verdict


def test_a_key_that_is_refused_in_the_middle_ends_it_too():
    link = a_ready_link()
    assert link.ended(FORBIDDEN, 20.0) is None


def test_first_attempts_are_repeated_ever_more_slowly_within_the_budget():
    link = a_link(first_budget_s=4.0)
    now_s, at_s = 0.0, [link.begin(0.0).at_s]
    while attempt := link.ended(UNREACHABLE, now_s):
        now_s = attempt.at_s
        at_s.append(now_s)
    assert at_s == [0.0, 0.5, 1.5, 3.5]
    assert link.state is LinkState.FAILED and link.refusal is UNREACHABLE


def test_pauses_have_jitter_and_a_longest():
    calls = iter([0.0, *[1.0] * 20])
    link = a_ready_link(spread=lambda: next(calls), later_budget_s=1000.0)
    now_s, pauses = 20.0, []
    for _ in range(8):
        attempt = link.ended(UNREACHABLE, now_s)
        assert attempt is not None
        pauses.append(attempt.at_s - now_s)
        now_s = attempt.at_s
    assert pauses[0] == 0.0, "the first drop of a good connection is mended at once"
    assert pauses[1] >= FIRST_PAUSE_S / 2
    assert pauses[-1] == LONGEST_PAUSE_S


def test_a_conversation_waits_for_the_service_to_come_back():
    link = a_ready_link()
    now_s = 20.0
    while attempt := link.ended(UNREACHABLE, now_s):
        now_s = attempt.at_s
        assert attempt.handle == "h1", "who is not heard has refused no handle"
    assert LATER_BUDGET_S - LONGEST_PAUSE_S <= now_s - 20.0 < LATER_BUDGET_S


def test_connections_that_do_not_last_end_it():
    link = a_ready_link()
    now_s, drops = 0.0, 0
    while attempt := link.ended(PASSING, now_s):
        drops += 1
        link.opened(attempt.at_s)
        link.remember(f"h{drops}")  # what a service says in a short life makes it no longer
        now_s = attempt.at_s + 1.0
    assert drops == MAX_DROPS


def test_a_connection_that_lasted_wipes_the_slate():
    link = a_ready_link()
    now_s = 0.0
    for _ in range(MAX_DROPS * 3):
        attempt = link.ended(PASSING, now_s)
        assert attempt is not None and attempt.handle == "h1"
        link.opened(attempt.at_s)
        now_s = attempt.at_s + STABLE_S


def test_a_handle_that_is_accepted_but_dead_is_dropped():
    link = a_ready_link()
    handles, now_s = [], 20.0
    for _ in range(4):
        attempt = link.ended(PASSING, now_s)
        assert attempt is not None
        handles.append(attempt.handle)
        link.opened(attempt.at_s)
        now_s = attempt.at_s + 1.0
    assert handles == ["h1", "h1", None, None]


@pytest.mark.parametrize("verdict", [UNACCEPTABLE, STALE])
def test_a_rejected_handle_is_dropped_at_once_and_for_good(verdict):
    link = a_ready_link()
    link.ended(PASSING, 20.0)
    assert link.state is LinkState.RESUMING
    attempt = link.ended(verdict, 20.2)
    assert attempt is not None
    assert (attempt.handle, attempt.at_s) == (None, 20.2)
    assert link.state is LinkState.RESEEDING
    assert not link.opened(20.4), "the new session has to be told the conversation"


def test_a_new_session_in_place_of_a_rejected_handle_can_be_refused_too():
    link = a_ready_link()
    link.ended(PASSING, 20.0)
    link.ended(UNACCEPTABLE, 20.2)
    assert link.ended(UNACCEPTABLE, 20.4) is None


def test_a_handle_refused_for_a_fault_is_tried_once_more():
    link = a_ready_link()
    handles = []
    attempt = link.ended(PASSING, 20.0)
    for _ in range(3):
        assert attempt is not None
        handles.append(attempt.handle)
        attempt = link.ended(PASSING, attempt.at_s + 0.1)
    assert handles == ["h1", "h1", None]


def test_without_a_handle_a_conversation_begins_anew():
    link = a_ready_link(handle=None)
    attempt = link.ended(PASSING, 20.0)
    assert attempt is not None and attempt.handle is None
    assert link.state is LinkState.RESEEDING


def test_the_latest_handle_counts():
    link = a_ready_link()
    link.remember("h2")
    link.remember("h2")
    attempt = link.ended(PASSING, 20.0)
    assert attempt is not None and attempt.handle == "h2"


def test_go_away_waits_for_the_end_of_the_turn():
    link = a_ready_link()
    link.told_to_go(50.0, 100.0)
    assert link.state is LinkState.DRAINING
    assert not link.should_leave(100.0, is_busy=True)
    assert link.should_leave(100.0, is_busy=False)
    attempt = link.left(101.0)
    assert (attempt.at_s, attempt.handle) == (101.0, "h1")
    assert link.state is LinkState.RESUMING and not link.is_up


def test_go_away_does_not_wait_for_its_deadline():
    link = a_ready_link()
    link.told_to_go(50.0, 100.0)
    assert not link.should_leave(149.9 - LEAVE_BEFORE_S, is_busy=True)
    assert link.should_leave(150.0 - LEAVE_BEFORE_S, is_busy=True)


def test_go_away_without_time_is_followed_at_once():
    link = a_ready_link()
    link.told_to_go(3.0, 100.0)
    assert link.should_leave(100.0, is_busy=True)


def test_leaving_is_no_drop():
    link = a_ready_link()
    for now_s in range(1, 2 * MAX_DROPS):
        link.told_to_go(50.0, now_s)
        assert link.left(now_s).handle == "h1"
        link.opened(now_s)


def test_nobody_leaves_without_a_reason_or_a_connection():
    link = a_ready_link()
    assert not link.should_leave(0.0, is_busy=False)
    link.ended(PASSING, 20.0)
    link.told_to_go(50.0, 20.0)  # a late word of the connection that is gone
    assert link.state is LinkState.RESUMING
    assert not link.should_leave(20.0, is_busy=False)


def test_a_connection_that_breaks_while_draining_is_resumed():
    link = a_ready_link()
    link.told_to_go(50.0, 20.0)
    attempt = link.ended(PASSING, 30.0)
    assert attempt is not None and attempt.handle == "h1"
    link.opened(30.5)
    assert link.state is LinkState.READY
    assert not link.should_leave(100.0, is_busy=False), "the new one was not told to go"


def test_other_settings_wait_for_the_end_of_the_turn_without_a_deadline():
    link = a_ready_link()
    link.change_wanted()
    link.change_wanted()
    assert link.state is LinkState.DRAINING
    assert not link.should_leave(1e6, is_busy=True)
    assert link.should_leave(20.0, is_busy=False)
    assert link.left(20.0).handle == "h1"
    link.setting_up()
    assert link.opened(20.5)
    assert link.state is LinkState.READY
    assert not link.should_leave(21.0, is_busy=False), "two changes, one connection"


def test_settings_that_change_while_there_is_no_connection_are_in_the_next_attempt():
    link = a_ready_link()
    link.ended(PASSING, 20.0)
    link.change_wanted()
    assert link.state is LinkState.RESUMING
    assert not link.should_leave(20.0, is_busy=False)
    link.setting_up()
    link.opened(20.5)
    assert not link.should_leave(21.0, is_busy=False)


def test_settings_that_change_during_an_attempt_need_another():
    link = a_ready_link()
    link.ended(PASSING, 20.0)
    link.setting_up()
    link.change_wanted()
    link.opened(20.5)
    assert link.state is LinkState.DRAINING
    assert link.should_leave(21.0, is_busy=False)


@pytest.mark.parametrize("verdict", [FORBIDDEN, UNACCEPTABLE])
def test_settings_that_are_refused_are_blamed_once_and_cost_nothing(verdict):
    link = a_changing_link()
    assert link.is_change_refused(verdict)
    assert link.left(20.1).handle == "h1"
    link.setting_up()
    assert not link.is_change_refused(verdict), "the old ones are not to blame"
    link.opened(20.2)
    assert link.state is LinkState.READY


def test_a_fault_that_passes_is_not_blamed_on_the_settings_at_once():
    link = a_changing_link()
    assert not link.is_change_refused(UNREACHABLE)
    for _ in range(MAX_CHANGE_REFUSALS - 1):
        assert not link.is_change_refused(PASSING)
        attempt = link.ended(PASSING, 20.1)
        assert attempt is not None and attempt.handle == "h1"
        link.setting_up()
    assert link.is_change_refused(PASSING)


def test_settings_are_not_blamed_for_a_handle_that_is_stale():
    link = a_changing_link()
    assert not link.is_change_refused(STALE)
    attempt = link.ended(STALE, 20.1)
    assert attempt is not None and attempt.handle is None
    link.setting_up()
    assert link.is_change_refused(UNACCEPTABLE), "still they can be refused themselves"


def test_settings_that_were_accepted_are_not_blamed_later():
    link = a_changing_link()
    link.opened(20.1)
    assert not link.is_change_refused(UNACCEPTABLE)
    link.ended(PASSING, 40.0)
    link.setting_up()
    assert not link.is_change_refused(UNACCEPTABLE)


def test_a_long_gap_is_degraded_until_it_ends():
    link = a_ready_link()
    assert link.degrades_at_s is None and not link.tick(50.0)
    link.ended(UNREACHABLE, 20.0)
    assert link.degrades_at_s == 20.0 + DEGRADED_AFTER_S
    assert not link.tick(22.9)
    assert link.tick(23.0)
    assert link.state is LinkState.DEGRADED
    assert not link.tick(24.0), "it is told once"
    link.ended(UNREACHABLE, 24.0)
    assert link.state is LinkState.DEGRADED
    link.opened(25.0)
    assert link.state is LinkState.READY


def test_while_the_first_connection_is_tried_nothing_degrades():
    link = a_link()
    link.begin(0.0)
    assert not link.tick(5.0)


def test_connections_that_say_go_away_at_once_are_followed_by_pauses():
    link, now_s, pauses_s = a_ready_link(), 0.0, []
    for _ in range(8):
        link.told_to_go(0.0, now_s)
        attempt = link.left(now_s)
        pauses_s.append(attempt.at_s - now_s)
        now_s = attempt.at_s
        link.opened(now_s)
    assert pauses_s[:4] == [0.0, FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses_s[-1] == LONGEST_PAUSE_S
    assert link.left(now_s + HASTY_S).at_s == now_s + HASTY_S, "one that lasted begins it anew"
