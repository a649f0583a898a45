"""A room calls somebody: answered, busy, nobody there, a voicemail, impossible."""

import pytest

from tests.daily.support import Bot, bot, room
from tests.support.sound import level, tone
from understudy.daily import DailyStandIn

TARGET = "+15557777"
WITHIN_S = 3


async def test_who_answers_is_a_participant_who_hears_speaks_and_is_hung_up(daily: DailyStandIn):
    called = daily.called_number(TARGET)
    made, token = await room(daily, enable_dialout=True)
    async with bot(made.url, token) as bot_:
        session = await _call(bot_)
        [connected] = await bot_.until("on_dialout_connected")
        [answered] = await bot_.until("on_dialout_answered")
        [participant] = await bot_.until("on_participant_joined")
        assert session == connected["sessionId"] == answered["sessionId"] == participant["id"]
        [telephone] = called.calls

        telephone.say(tone(0.5, 48_000))
        await telephone.until(lambda: len(telephone.heard) >= 15, within_s=WITHIN_S)
        assert level(telephone.heard[5][1]) > 5000
        assert await bot_.transport.send_dtmf({"tones": "42#"}) is None
        await telephone.until(lambda: telephone.digits == "42#", within_s=WITHIN_S)

        assert await bot_.transport.stop_dialout(session) is None
        await bot_.until("on_dialout_stopped")
        await telephone.until(lambda: telephone.state == "ended", within_s=WITHIN_S)


@pytest.mark.parametrize(
    ("does", "why"),
    [("busy", "User busy"), ("no-answer", "No answer"), ("fails", "Call failed")],
)
async def test_who_is_not_reached_is_an_error(daily: DailyStandIn, does: str, why: str):
    daily.called_number(TARGET, does)
    made, token = await room(daily, enable_dialout=True)
    async with bot(made.url, token) as bot_:
        session = await _call(bot_)
        [error] = await bot_.until("on_dialout_error")
        assert (error["sessionId"], error["errorMsg"]) == (session, why)
        assert not bot_.told("on_participant_joined")


async def test_a_voicemail_speaks_and_beeps(daily: DailyStandIn):
    daily.called_number(TARGET, "voicemail", says="Leave a message.", hangs_up_after_s=2.5)
    made, token = await room(daily, enable_dialout=True)
    async with bot(made.url, token) as bot_:
        await _call(bot_)
        await bot_.until("on_dialout_stopped", within_s=6)
        loud_s = bot_.echo.loud_s()
        assert 1.0 < loud_s < 2.5


async def test_a_room_that_may_not_call_is_told(daily: DailyStandIn):
    made, token = await room(daily)
    async with bot(made.url, token) as bot_:
        await bot_.until("on_joined")
        session, error = await bot_.transport.start_dialout({"phoneNumber": TARGET})
        assert (session, error) == (None, "Dialout(NotAllowed)")


async def _call(bot_: Bot) -> str:
    await bot_.until("on_joined")
    session, error = await bot_.transport.start_dialout({"phoneNumber": TARGET})
    assert error is None
    return session
