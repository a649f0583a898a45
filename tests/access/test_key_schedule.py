import pytest

from serving.access.key_schedule import (
    FAILED_PAUSE_S,
    FRESH_S,
    STALE_S,
    UNKNOWN_PAUSE_S,
    Keys,
    KeySchedule,
)


@pytest.fixture
def schedule():
    """Keys that were fetched at 1000 s."""
    schedule = KeySchedule()
    schedule.fetched(1000.0)
    return schedule


def test_the_first_token_has_the_keys_fetched():
    assert KeySchedule().decide(is_known=False, now_s=0.0) is Keys.FETCH


def test_keys_are_used_while_they_are_fresh(schedule):
    assert schedule.decide(is_known=True, now_s=1000.0 + FRESH_S - 1) is Keys.USE
    assert schedule.decide(is_known=True, now_s=1000.0 + FRESH_S) is Keys.FETCH


def test_a_key_that_is_not_there_is_looked_for_once_in_a_while(schedule):
    assert schedule.decide(is_known=False, now_s=1000.0 + UNKNOWN_PAUSE_S - 1) is Keys.USE
    assert schedule.decide(is_known=False, now_s=1000.0 + UNKNOWN_PAUSE_S) is Keys.FETCH


def test_tokens_with_made_up_keys_have_the_provider_asked_once_a_minute():
    schedule, fetches = KeySchedule(), 0
    for tenth in range(10 * 600):
        if schedule.decide(is_known=False, now_s=tenth / 10) is Keys.FETCH:
            fetches += 1
            schedule.fetched(tenth / 10)
    assert fetches == 10


def test_a_provider_that_was_never_reached_lets_nobody_in():
    schedule = KeySchedule()
    schedule.failed(0.0)
    assert schedule.decide(is_known=False, now_s=FAILED_PAUSE_S - 0.1) is Keys.NONE
    assert schedule.decide(is_known=False, now_s=FAILED_PAUSE_S) is Keys.FETCH


def test_while_the_provider_is_gone_its_keys_count_a_while_longer(schedule):
    at_s = 1000.0 + STALE_S - 1
    schedule.failed(at_s)
    assert schedule.decide(is_known=True, now_s=at_s) is Keys.USE
    schedule.failed(at_s + 1)
    assert schedule.decide(is_known=True, now_s=at_s + 1) is Keys.NONE


def test_while_the_provider_is_gone_a_new_key_can_not_be_told_from_a_forged_one(schedule):
    schedule.failed(1000.0 + UNKNOWN_PAUSE_S)
    assert schedule.decide(is_known=False, now_s=1000.0 + UNKNOWN_PAUSE_S) is Keys.NONE


def test_a_provider_that_is_back_is_believed(schedule):
    schedule.failed(1000.0 + FRESH_S)
    schedule.fetched(1000.0 + FRESH_S + 1)
    assert schedule.decide(is_known=True, now_s=1000.0 + FRESH_S + 2) is Keys.USE
