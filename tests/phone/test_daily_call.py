"""Calls that wait at Daily are picked up; calls that we make turn out in one way, and it is told."""

import asyncio

import pytest

from pipeline.phone import daily_call
from pipeline.phone.call import Provider
from tests.phone.support import a_call, end_of, noted
from tests.phone.test_pick_up import KEY, api, ok, status
from tests.phone.test_telephone import over
from tests.support.conversation import Talk, talk


def of(url: str) -> dict[str, str]:
    return {"DAILY_API_URL": url, "DAILY_API_KEY": KEY}


# --- calls that come in -----------------------------------------------------------------------------


async def test_a_waiting_caller_is_picked_up_when_the_room_can_be_called(tmp_path):
    async with (
        api(status(500), ok) as daily,
        talk(tmp_path, call=a_call(Provider.DAILY), variables=of(daily.url)) as conversation,
    ):
        await conversation.transport.tell("on_dialin_ready", "sip:room@daily")
        await conversation.until(lambda: len(daily.asked) == 2)
        assert daily.asked[-1][1]["sipUri"] == "sip:room@daily"
        await conversation.transport.tell("on_dialin_connected", {"sessionId": "1"})
        await conversation.until(lambda: conversation.transport.heard)


async def test_a_caller_who_can_not_be_picked_up_is_not_waited_for(tmp_path):
    async with (
        api(status(400)) as daily,
        talk(tmp_path, call=a_call(Provider.DAILY), variables=of(daily.url)) as conversation,
    ):
        await conversation.transport.tell("on_dialin_ready", "sip:room@daily")
        await over(conversation, within_s=3)
    reason, why = end_of(conversation)
    assert reason == "failure" and why.startswith("Daily refuses to connect the call: 400")


async def test_a_caller_who_never_comes_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(daily_call, "CONNECT_S", 0.5)
    async with talk(tmp_path, call=a_call(Provider.SIP)) as conversation:
        await over(conversation, within_s=3)
    assert end_of(conversation) == ("failure", "The caller was not connected in time.")


async def test_a_refusal_after_the_caller_is_there_changes_nothing(tmp_path):
    async with (
        api(status(503), status(400)) as daily,
        talk(tmp_path, call=a_call(Provider.DAILY), variables=of(daily.url)) as conversation,
    ):
        await conversation.transport.tell("on_dialin_ready", "sip:room@daily")
        await conversation.until(lambda: daily.asked)
        await conversation.transport.tell("on_dialin_connected", {"sessionId": "1"})
        await conversation.until(lambda: len(daily.asked) == 2)
        await conversation.until(lambda: conversation.transport.heard)
        assert not conversation.running.done()


# --- calls that we make -----------------------------------------------------------------------------


def dialing(folder):
    return talk(folder, call=a_call(Provider.DIAL_OUT))


def outcomes(conversation: Talk) -> list[str]:
    return [line["outcome"] for line in noted(conversation, "dial-out")]


async def test_who_answers_is_greeted_and_who_has_only_come_is_not(tmp_path):
    async with dialing(tmp_path) as conversation:
        await conversation.transport.tell("on_joined", {})
        await conversation.until(lambda: conversation.transport.dialed)
        assert conversation.transport.dialed == [{"phoneNumber": "+15550001"}]
        await conversation.transport.connect()
        await asyncio.sleep(1.0)
        assert conversation.transport.heard == [], "it rings"
        await conversation.transport.tell("on_dialout_answered", {"sessionId": "1"})
        await conversation.until(lambda: conversation.transport.heard)
        await conversation.transport.tell("on_dialout_stopped", {"sessionId": "1"})
        await over(conversation, within_s=3)
    assert outcomes(conversation) == ["answered"]
    assert end_of(conversation) == ("user", "The caller hung up.")


@pytest.mark.parametrize(
    ("event", "data", "outcome", "end"),
    [
        ("on_dialout_error", {"errorMsg": "486"}, "busy", ("busy", "The line is busy.")),
        ("on_dialout_stopped", {}, "no-answer", ("no-answer", "Nobody answered the call.")),
        (
            *("on_dialout_error", {"errorMsg": "no trunk"}, "failed"),
            ("failure", "The call could not be made: no trunk"),
        ),
        (
            *("on_client_disconnected", {}, "no-answer"),
            ("no-answer", "Nobody answered the call."),
        ),
    ],
)
async def test_what_became_of_a_call_is_told(tmp_path, event, data, outcome, end):
    async with dialing(tmp_path) as conversation:
        await conversation.transport.tell("on_joined", {})
        await conversation.transport.tell(event, data)
        await over(conversation, within_s=3)
    assert outcomes(conversation) == [outcome] and end_of(conversation) == end


async def test_a_call_that_daily_refuses_to_make_has_failed(tmp_path):
    async with dialing(tmp_path) as conversation:
        conversation.transport.refuses_to_dial = "dial-out is not enabled"
        await conversation.transport.tell("on_joined", {})
        await over(conversation, within_s=3)
    assert outcomes(conversation) == ["failed"]
    assert end_of(conversation)[1] == "The call could not be made: dial-out is not enabled"


async def test_it_does_not_ring_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(daily_call, "RING_S", 0.5)
    async with dialing(tmp_path) as conversation:
        await conversation.transport.tell("on_joined", {})
        await over(conversation, within_s=3)
    assert outcomes(conversation) == ["no-answer"]


async def test_a_machine_that_the_model_hears_ends_the_call(tmp_path):
    async with dialing(tmp_path) as conversation:
        await conversation.transport.tell("on_joined", {})
        await conversation.transport.tell("on_dialout_answered", {"sessionId": "1"})
        await conversation.until_quiet()
        await conversation.type("voicemail")
        await over(conversation)
    assert outcomes(conversation) == ["answered", "voicemail"]
    assert end_of(conversation) == ("voicemail", "A machine answered the call.")
