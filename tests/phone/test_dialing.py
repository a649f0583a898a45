"""Answered, busy, not answered, a machine and failed are told apart, and what comes first counts."""

import pytest

from pipeline.endings import Ended
from pipeline.phone.dialing import Dialing, Outcome, reason_of


def test_while_it_rings_there_is_no_outcome_and_no_end():
    dialing = Dialing()
    assert dialing.outcome is None and dialing.ending is None


def test_an_answered_call_ends_as_a_conversation_does():
    dialing = Dialing()
    dialing.answered()
    dialing.stopped({"sessionId": "x"})
    dialing.failed("486 Busy Here")
    dialing.not_answered()
    assert dialing.outcome is Outcome.ANSWERED and dialing.ending is None


@pytest.mark.parametrize(
    "text", ["486 Busy Here", "user-busy", "600 Busy Everywhere", "603 Decline", "call rejected"]
)
def test_a_busy_or_declined_call_is_busy(text):
    dialing = Dialing()
    dialing.failed(text)
    assert dialing.outcome is Outcome.BUSY
    assert dialing.ending == (Ended.BUSY, "The line is busy.")


@pytest.mark.parametrize(
    "text", ["480 Temporarily Unavailable", "no-answer", "No Answer", "408", "timed out", "487"]
)
def test_a_call_that_nobody_takes_is_not_answered(text):
    dialing = Dialing()
    dialing.stopped({"reason": text})
    assert dialing.outcome is Outcome.NO_ANSWER
    assert dialing.ending == (Ended.NO_ANSWER, "Nobody answered the call.")


def test_a_call_that_stops_ringing_without_a_word_is_not_answered():
    dialing = Dialing()
    dialing.stopped({"sessionId": "x"})
    assert dialing.outcome is Outcome.NO_ANSWER


def test_any_other_error_is_a_failure_and_told():
    dialing = Dialing()
    dialing.failed("dial-out is not enabled\x00 " + 300 * "x")
    assert dialing.ending is not None
    reason, why = dialing.ending
    assert reason is Ended.FAILURE
    assert why.startswith("The call could not be made: dial-out is not enabled  xxx")
    assert len(why) < 240


def test_a_failure_without_a_word_is_one_all_the_same():
    dialing = Dialing()
    dialing.failed("")
    assert dialing.ending == (Ended.FAILURE, "The call could not be made.")


def test_a_machine_is_known_by_what_the_model_hears_after_the_answer():
    dialing = Dialing()
    dialing.answered()
    dialing.is_machine()
    assert dialing.outcome is Outcome.VOICEMAIL
    assert dialing.ending == (Ended.VOICEMAIL, "A machine answered the call.")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"errorMsg": "486"}, "486"),
        ({"error_msg": " busy\n"}, "busy"),
        ({"reason": 17}, "17"),
        ({}, ""),
        ("gone", "gone"),
        (None, ""),
        ({"errorMsg": "no route to +15551234567"}, "no route to ...4567"),
    ],
)
def test_the_reason_is_found_in_whatever_the_event_is(event, reason):
    assert reason_of(event) == reason
