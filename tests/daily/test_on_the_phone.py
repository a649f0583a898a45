"""What can be done with a caller who is in the room."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.daily.support import CALLER, Bot, bot, room, sip
from understudy.daily import DailyStandIn, Phone
from understudy.daily.phone import PhoneCall

WITHIN_S = 3


@dataclass
class Connected:
    """A caller and a bot in a room."""

    bot: Bot
    call: PhoneCall
    room: str


@contextlib.asynccontextmanager
async def connected(daily: DailyStandIn) -> AsyncIterator[Connected]:
    made, token = await room(daily, **sip())
    async with bot(made.url, token) as bot_:
        await bot_.until("on_dialin_ready")
        async with await Phone(daily.url).dial_sip(made.config.sip_endpoint, caller=CALLER) as call:
            await bot_.until("on_participant_joined")
            await call.until(lambda: call.state == "connected", within_s=WITHIN_S)
            yield Connected(bot_, call, made.name)


async def test_keys_reach_the_bot_and_the_bots_reach_the_caller(daily: DailyStandIn):
    async with connected(daily) as line:
        line.call.press("1*#")
        await line.call.until(lambda: len(line.bot.told("on_dtmf_event")) == 3, within_s=1)
        told = [data for [data] in line.bot.told("on_dtmf_event")]
        assert [data["tone"] for data in told] == ["1", "*", "#"]
        assert {data["sessionId"] for data in told} == {line.call.session_id}
        assert await line.bot.transport.send_dtmf({"tones": "90#"}) is None
        await line.call.until(lambda: line.call.digits == "90#", within_s=WITHIN_S)


@pytest.mark.parametrize("how", ["sip_call_transfer", "sip_refer"])
async def test_a_caller_is_transferred_and_no_longer_there(daily: DailyStandIn, how: str):
    async with connected(daily) as line:
        transfer = getattr(line.bot.transport, how)
        assert await transfer({"toEndPoint": "+15551234567"}) is None
        await line.call.until(lambda: line.call.state == "transferred", within_s=WITHIN_S)
        assert line.call.transferred_to == "+15551234567"
        await line.bot.until("on_dialin_stopped")
        await line.bot.until("on_participant_left")


async def test_a_transfer_that_fails_leaves_the_caller_there(daily: DailyStandIn):
    async with connected(daily) as line:
        daily.fail("sip_call_transfer", error="Sip(Refused)")
        error = await line.bot.transport.sip_call_transfer({"toEndPoint": "+15551234567"})
        assert error == "Sip(Refused)"
        assert line.call.state == "connected"


async def test_who_hangs_up_leaves_room_for_the_next(daily: DailyStandIn):
    async with connected(daily) as line:
        phone, address = Phone(daily.url), line.bot.told("on_dialin_ready")[0][0]
        async with await phone.dial_sip(address, caller=CALLER) as second:
            await second.until(lambda: second.state == "ended", within_s=WITHIN_S)
        await line.call.hang_up()
        await second.until(lambda: len(line.bot.told("on_dialin_ready")) == 2, within_s=WITHIN_S)
        async with await phone.dial_sip(address, caller=CALLER) as third:
            await third.until(lambda: third.state == "connected", within_s=WITHIN_S)


@pytest.mark.parametrize(
    ("what", "settings"),
    [
        ("send_dtmf", {"sessionId": "b2c9b6f4-0000-4000-8000-000000000000", "tones": "1"}),
        ("sip_call_transfer", {"sessionId": "b2c9b6f4-0000-4000-8000-000000000000"}),
        ("send_dtmf", {"tones": "hello"}),
    ],
)
async def test_what_can_not_be_done_is_told_as_an_error(
    daily: DailyStandIn, what: str, settings: dict[str, Any]
):
    async with connected(daily) as line:
        assert await getattr(line.bot.transport, what)(settings)
        assert line.call.state == "connected"


async def test_other_events_can_be_told(daily: DailyStandIn):
    async with connected(daily) as line:
        data = {"sessionId": line.call.session_id, "errorMsg": "codec"}
        daily.tell(line.room, "dialin_error", **data)
        assert await line.bot.until("on_dialin_error") == (data,)
