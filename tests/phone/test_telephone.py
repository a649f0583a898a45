"""Whole sessions whose caller is on the telephone."""

import asyncio
import time

from loguru import logger
from pipecat.audio.dtmf.types import KeypadEntry
from pipecat.frames.frames import InputDTMFFrame

from pipeline.announcements import Announcement
from pipeline.phone import tools
from pipeline.phone.call import Provider
from tests.phone.support import CALLED, CALLER, LineOfTest, a_call, end_of, noted
from tests.support.conversation import talk
from tests.support.hearing import heard

TARGETS = {"SALON_TRANSFER_TO": "front-desk=+15551234567"}


async def over(conversation, *, within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        await asyncio.wait([conversation.running])


# --- the beginning ----------------------------------------------------------------------------------


async def test_a_caller_is_greeted_at_once_and_the_log_says_who_called(tmp_path):
    async with talk(tmp_path, call=a_call()) as conversation:
        await conversation.until(lambda: conversation.events("setup"))
        await conversation.transport.connect()
        connected_s = time.monotonic()
        await conversation.until(lambda: conversation.transport.heard)
        assert conversation.transport.heard[0][0] - connected_s < 1.5
        await conversation.until_quiet()
        await conversation.transport.tell("on_client_disconnected", object())
        await over(conversation, within_s=3)
    assert noted(conversation, "call") == [
        {"provider": "twilio", "caller": CALLER, "called": CALLED}
    ]
    assert [turn["side"] for turn in conversation.turns] == ["bot"]
    assert end_of(conversation) == ("user", "The caller hung up.")


async def test_the_log_of_the_server_has_four_digits_of_who_calls(tmp_path):
    lines: list[str] = []
    sink = logger.add(lines.append, level="INFO")
    async with talk(tmp_path, call=a_call(Provider.SIP)) as conversation:
        await conversation.transport.tell("on_dialin_connected", {"sipFrom": CALLER})
        await conversation.until(lambda: conversation.transport.heard)
    logger.remove(sink)
    told = "".join(lines)
    assert "...9999 calls ...0001 (sip)" in told
    assert CALLER not in told and CALLED not in told


async def test_whichever_event_comes_first_greets_and_the_other_does_not(tmp_path):
    async with talk(tmp_path, call=a_call(Provider.SIP)) as conversation:
        await conversation.until(lambda: conversation.events("setup"))
        await conversation.transport.tell("on_dialin_ready", "sip:room@example.com")
        assert (ready := conversation.session.line_ready)
        assert await ready == "sip:room@example.com"
        await conversation.transport.tell("on_dialin_connected", {"sessionId": "1"})
        await conversation.transport.connect()
        await conversation.until_quiet()
        assert len(conversation.turns) == 1
        await conversation.transport.tell("on_dialin_stopped", {"sessionId": "1"})
        await over(conversation, within_s=3)
    assert end_of(conversation) == ("user", "The caller hung up.")


async def test_a_call_that_daily_can_not_connect_ends_at_once_and_says_why(tmp_path):
    async with talk(tmp_path, call=a_call(Provider.SIP)) as conversation:
        await conversation.transport.tell("on_dialin_error", {"errorMsg": "no codec"})
        await over(conversation, within_s=3)
    assert end_of(conversation) == ("failure", "The caller could not be connected: no codec")


async def test_a_call_lasts_no_longer_than_calls_may(tmp_path):
    limits = {"time_limit_s": 5.0}
    variables = {"SALON_MAX_CALL_S": 10}
    async with talk(tmp_path, call=a_call(), limits=limits, variables=variables) as conversation:
        assert conversation.session.usage.seconds_left == 5
    limits = {"time_limit_s": 50.0}
    async with talk(tmp_path, call=a_call(), limits=limits, variables=variables) as conversation:
        assert conversation.session.usage.seconds_left == 10


# --- keys and silence -------------------------------------------------------------------------------


async def test_keys_that_the_caller_presses_reach_the_model(tmp_path):
    async with talk(tmp_path, call=a_call(), greeting=None) as conversation:
        await conversation.transport.connect()
        for key in "42#":
            await conversation.transport.ear.push_frame(InputDTMFFrame(button=KeypadEntry(key)))
        await conversation.until(lambda: len(conversation.turns) == 2)
        asked, answered = conversation.turns
    assert asked["text"] == "(The caller pressed: 4 2 #)" and answered["side"] == "bot"


async def test_a_silent_caller_is_asked_and_then_let_go(tmp_path):
    variables = {"SALON_PHONE_SILENCE_S": 3}
    async with talk(tmp_path, call=a_call(), variables=variables) as conversation:
        await conversation.transport.connect()
        await conversation.until(lambda: conversation.transport.heard)
        await conversation.until_quiet()
        quiet_s = conversation.transport.heard[-1][0]
        await over(conversation, within_s=20)
        asked_s, _ = heard(conversation, Announcement.STILL_THERE)
        gone_s, _ = heard(conversation, Announcement.NO_ANSWER_FROM_YOU)
    assert 2.5 < asked_s - quiet_s < 5 and 2.5 < gone_s - asked_s < 5
    assert end_of(conversation) == ("idle", "Nobody is heard on the line.")


async def test_who_waits_for_something_is_not_asked(tmp_path):
    variables = {"SALON_PHONE_SILENCE_S": 3}
    line = LineOfTest(takes_s=4.5)
    async with talk(
        tmp_path, call=a_call(), greeting=None, line=line, variables=variables
    ) as conversation:
        await conversation.transport.connect()
        await conversation.type("send_digits digits=1")
        await conversation.until(lambda: line.pressed)
        assert conversation.transport.heard == [], "a function ran for longer than silence may last"


# --- what the model may do --------------------------------------------------------------------------


async def test_the_bot_hangs_up_once_its_goodbye_was_heard(tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(
        "answers:\n  - say: Goodbye then, it was a pleasure.\n    returned: end_call\n"
    )
    async with talk(
        tmp_path / "log", call=a_call(), greeting=None, scenario=scenario
    ) as conversation:
        await conversation.transport.connect()
        await conversation.type("end_call")
        await over(conversation)
        times = [at_s for at_s, _ in conversation.transport.heard]
        assert times[-1] - times[0] < 3, "nobody says it again for it"
        seconds = sum(samples.size for _, samples in conversation.transport.heard) / 24_000
    assert 1.2 < seconds < 6
    assert conversation.turns[-1]["text"].startswith("Goodbye then")
    assert not conversation.turns[-1]["interrupted"]
    assert end_of(conversation) == ("bot", "The bot ended the call.")


async def test_a_model_that_says_no_goodbye_has_one_said_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "GOODBYE_WITHIN_S", 1.0)
    async with talk(tmp_path, call=a_call(), greeting=None) as conversation:
        await conversation.transport.connect()
        await conversation.type("end_call")
        await conversation.until(lambda: conversation.events("tool_call"))
        conversation.understudy.inject("silent-turn")
        await over(conversation)
        heard(conversation, Announcement.ENDING)
    assert end_of(conversation) == ("bot", "The bot ended the call.")


async def test_a_caller_is_transferred_to_a_name_of_the_list(tmp_path):
    line = LineOfTest()
    async with talk(
        tmp_path, call=a_call(), greeting=None, line=line, variables=TARGETS
    ) as conversation:
        await conversation.transport.connect()
        await conversation.type("transfer_call to=front-desk")
        await conversation.until(lambda: line.transferred_to)
        await conversation.transport.tell("on_client_disconnected", object())
        await over(conversation, within_s=3)
    assert line.transferred_to == ["+15551234567"]
    assert noted(conversation, "transfer") == [{"to": "front-desk"}]
    assert end_of(conversation) == ("transferred", "The caller was transferred to front-desk.")


async def test_a_transfer_that_fails_is_told_to_the_model_and_the_call_goes_on(tmp_path):
    line = LineOfTest(refuses="The call can't be transferred: 503.")
    async with talk(
        tmp_path, call=a_call(), greeting=None, line=line, variables=TARGETS
    ) as conversation:
        await conversation.transport.connect()
        await conversation.type("transfer_call to=front-desk")
        await conversation.until(lambda: len(conversation.turns) == 2)
        assert "still on the line" in conversation.turns[-1]["text"]
        assert not conversation.running.done()
    assert noted(conversation, "transfer") == [{"to": "front-desk", "error": line.refuses}]


async def test_nobody_else_can_be_called_by_a_transfer(tmp_path):
    line = LineOfTest()
    async with talk(
        tmp_path, call=a_call(), greeting=None, line=line, variables=TARGETS
    ) as conversation:
        await conversation.transport.connect()
        await conversation.type("transfer_call to=+19005550000")
        await conversation.until(lambda: len(conversation.turns) == 2)
    assert line.transferred_to == [] and "front-desk" in conversation.turns[-1]["text"]


async def test_the_bot_presses_keys(tmp_path):
    line = LineOfTest()
    async with talk(tmp_path, call=a_call(), greeting=None, line=line) as conversation:
        await conversation.transport.connect()
        await conversation.type("send_digits digits=12*34#")
        await conversation.until(lambda: line.pressed)
        await conversation.until(lambda: len(conversation.turns) == 2)
        await conversation.type("send_digits digits=abc")
        await conversation.until(lambda: len(conversation.turns) == 4)
        assert "1 to 32" in conversation.turns[-1]["text"]
    assert line.pressed == ["12*34#"] and noted(conversation, "digits") == [{"digits": "12*34#"}]


# --- the end ----------------------------------------------------------------------------------------


async def test_a_call_that_the_server_ends_ends_with_a_goodbye_within_two_seconds(tmp_path):
    async with talk(tmp_path, call=a_call(), greeting=None) as conversation:
        await conversation.transport.connect()
        await conversation.type("Count to 50")
        await conversation.until(lambda: conversation.transport.heard)
        await asyncio.sleep(0.5)
        told_s = time.monotonic()
        await conversation.session.hang_up("The server is closing.")
        await over(conversation, within_s=5)
        assert time.monotonic() - told_s < 2.5
        began_s, _ = heard(conversation, Announcement.ENDING)
        assert began_s - told_s < 0.5
    assert end_of(conversation) == ("closing", "The server is closing.")


async def test_a_call_on_hold_that_the_server_ends_is_over_at_once(tmp_path):
    async with talk(tmp_path, call=a_call()) as conversation:
        await conversation.session.hang_up("The server is closing.")
        await over(conversation, within_s=1)
    assert end_of(conversation) == ("closing", "The server is closing.")
