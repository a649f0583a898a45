"""A person in a room with a bot on Pipecat's unchanged `DailyTransport`."""

import asyncio
import time

import numpy as np
import pytest
from pipecat.frames.frames import OutputTransportMessageUrgentFrame

from tests.daily.support import bot, rest, room
from tests.support.sound import level, tone
from understudy.daily import DailyStandIn, Guest
from understudy.daily.guest import CannotJoin

WITHIN_S = 3


async def test_sound_goes_both_ways_at_the_pace_of_speech(daily: DailyStandIn):
    made, token = await room(daily)
    async with bot(made.url, token) as bot_, await Guest.join(made.url, name="Ana") as guest:
        await bot_.until("on_participant_joined")
        began_s = time.monotonic()
        guest.say(tone(1.0, 48_000))
        await guest.said()
        assert 0.95 < time.monotonic() - began_s < 1.3
        await guest.until(lambda: _seconds(guest.heard, 24_000) > 0.95, within_s=WITHIN_S)
        assert abs(bot_.echo.loud_s() - 1.0) < 0.03
        assert guest.heard[0][0] - began_s < 0.4
        assert guest.heard[-1][0] - guest.heard[0][0] > 0.8
        assert level(guest.heard[20][1]) > 8000


async def test_silence_is_heard_at_the_pace_of_speech_too(daily: DailyStandIn):
    made, token = await room(daily)
    async with bot(made.url, token) as bot_, await Guest.join(made.url):
        await bot_.until("on_participant_joined")
        begun, began_s = bot_.echo.pieces, time.monotonic()
        await asyncio.sleep(1)
        heard = bot_.echo.pieces - begun
        assert heard == pytest.approx((time.monotonic() - began_s) / 0.02, rel=0.15)


async def test_who_is_there_is_told_as_daily_python_tells_it(daily: DailyStandIn):
    made, token = await room(daily)
    async with await Guest.join(made.url, name="Ana") as ana, bot(made.url, token) as bot_:
        [joined] = await bot_.until("on_joined")
        me = joined["participants"]["local"]
        assert me["info"]["isOwner"] and me["info"]["isLocal"]
        assert joined["meetingSession"]["id"]
        [told] = await bot_.until("on_participant_joined")
        assert told["info"] == bot_.transport.participants()[ana.id]["info"]
        assert (told["info"]["userName"], told["info"]["isOwner"]) == ("Ana", False)
        assert told["media"]["camera"] == {
            "state": "off",
            "subscribed": "unsubscribed",
            "offReasons": ["user"],
        }
        assert bot_.transport.participant_counts() == {"hidden": 0, "present": 2}
        await ana.until(lambda: me["id"] in ana.participants, within_s=1)
        await ana.leave()
        [left, reason] = await bot_.until("on_participant_left")
        assert (left["id"], reason) == (ana.id, "leftCall")


async def test_a_camera_and_a_shared_screen_are_seen(daily: DailyStandIn):
    made, token = await room(daily)
    async with bot(made.url, token) as bot_, await Guest.join(made.url) as guest:
        await bot_.until("on_participant_joined")
        red = np.full((24, 32, 3), (255, 0, 0), np.uint8)
        await guest.show(red)
        await guest.show(red[:, :16] // 5, source="screenVideo")
        await guest.until(
            lambda: len({p.transport_source for p in bot_.echo.pictures}) == 2, within_s=WITHIN_S
        )
        seen = {picture.transport_source: picture for picture in bot_.echo.pictures}
        assert (seen["camera"].size, seen["camera"].format) == ((32, 24), "RGB")
        assert seen["camera"].image == red.tobytes()
        assert seen["screenVideo"].size == (16, 24)
        assert seen["camera"].user_id == guest.id
        state = bot_.transport.participants()[guest.id]["media"]["screenVideo"]["state"]
        assert state == "playable"
        await guest.stop_showing("screenVideo")
        await guest.until(
            lambda: (
                bot_.transport.participants()[guest.id]["media"]["screenVideo"]["state"] == "off"
            ),
            within_s=WITHIN_S,
        )


async def test_messages_go_both_ways(daily: DailyStandIn):
    made, token = await room(daily)
    async with (
        bot(made.url, token) as bot_,
        await Guest.join(made.url, name="Ana") as ana,
        await Guest.join(made.url, name="Ben") as ben,
    ):
        await bot_.until("on_participant_joined")
        await ana.send({"hello": "all"})
        assert await bot_.until("on_app_message") == ({"hello": "all"}, ana.id)
        [joined] = bot_.told("on_joined")[-1]
        await ana.send({"hello": "bot"}, to=joined["participants"]["local"]["id"])
        await ana.chat("typed")
        await ben.until(lambda: len(ben.messages) == 2, within_s=WITHIN_S)
        [(first, _), (chat, sender)] = ben.messages
        assert first == {"hello": "all"}
        assert (chat["event"], chat["message"], chat["name"]) == ("chat-msg", "typed", "Ana")
        assert sender == ana.id
        to_bot = [message.get("hello") for message, _ in bot_.told("on_app_message")]
        assert to_bot == ["all", "bot", None]

        await bot_.worker.queue_frame(OutputTransportMessageUrgentFrame({"from": "bot"}))
        assert await bot_.transport.send_prebuilt_chat_message("written", "Salon") is None
        await ana.until(lambda: len(ana.messages) == 2, within_s=WITHIN_S)
        told = [message.get("message", message.get("from")) for message, _ in ana.messages]
        assert sorted(told) == ["bot", "written"]


async def test_who_speaks_is_told(daily: DailyStandIn):
    made, token = await room(daily)
    async with (
        bot(made.url, token, audio_out_enabled=False) as bot_,
        await Guest.join(made.url) as ana,
        await Guest.join(made.url) as ben,
    ):
        await bot_.until("on_participant_joined")
        for guest in (ana, ben):
            guest.say(tone(0.4, 48_000))
            guest.say(np.zeros(4800, np.int16))
            await guest.said()
        await ben.until(lambda: len(bot_.told("on_active_speaker_changed")) == 2, within_s=1)
        speakers = [told["id"] for [told] in bot_.told("on_active_speaker_changed")]
        assert speakers == [ana.id, ben.id]


async def test_how_good_the_line_is_is_told(daily: DailyStandIn):
    made, token = await room(daily)
    async with bot(made.url, token) as bot_:
        await bot_.until("on_joined")
        daily.line(made.name, quality=20, is_interrupted=True)
        assert await bot_.until("on_network_connection_status_updated") == (
            {"connection": "signalling", "event": "interrupted"},
        )
        client = bot_.transport._client._client
        assert client.get_network_stats()["threshold"] == "very-low"


async def test_an_owner_ejects_and_the_room_ends_for_who_is_ejected(daily: DailyStandIn):
    made, token = await room(daily)
    async with bot(made.url, token) as bot_, await Guest.join(made.url) as guest:
        await bot_.until("on_participant_joined")
        bot_.transport._client._client.eject_remote_participants([guest.id])
        await guest.until(lambda: not guest.is_in, within_s=WITHIN_S)
        await bot_.until("on_participant_left")


async def test_a_room_whose_time_is_over_ejects(daily: DailyStandIn):
    made, token = await room(daily, exp=time.time() + 0.7, eject_at_room_exp=True)
    async with bot(made.url, token) as bot_:
        await bot_.until("on_joined")
        await bot_.until("on_error")
        assert ("left",) in bot_.told("on_call_state_updated")
    assert daily.rooms == {}


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("no room", "The meeting you're trying to join does not exist."),
        ("another room's token", "You are not allowed to join this meeting."),
        ("expired token", "Meeting token has expired."),
        ("no token", "Meeting token is invalid."),
    ],
)
async def test_who_may_not_join_is_told_why(daily: DailyStandIn, case: str, why: str):
    made, token = await room(daily)
    other, _ = await room(daily)
    url = made.url
    async with rest(daily) as helper:
        if case == "no room":
            url += "-no"
        elif case == "another room's token":
            token = await helper.get_token(other.url)
        elif case == "expired token":
            token = await helper.get_token(made.url, expiry_time=-10)
        else:
            token = "rubbish"
    async with bot(url, token) as bot_:
        [error] = await bot_.until("on_error")
        assert "RoomInfoError" in error and why in error
        assert [state for [state] in bot_.told("on_call_state_updated")] == []
    with pytest.raises(CannotJoin, match=why.rstrip(".")):
        await Guest.join(url, token)


async def test_an_unreachable_room_fails_at_once(daily: DailyStandIn):
    async with bot("http://127.0.0.1:9/nobody", None) as bot_:
        [error] = await bot_.until("on_error", within_s=2)
        assert "Connection(Api(RoomLookup(RoomInfoFetchFailed(" in error


async def test_a_recording_is_begun_and_ended(daily: DailyStandIn):
    made, token = await room(daily)
    async with bot(made.url, token) as bot_:
        await bot_.until("on_joined")
        stream_id, error = await bot_.transport.start_recording()
        assert error is None
        [status] = await bot_.until("on_recording_started")
        assert status["streamId"] == stream_id
        assert await bot_.transport.stop_recording(stream_id) is None
        assert await bot_.until("on_recording_stopped") == (stream_id,)


def _seconds(heard: list[tuple[float, np.ndarray]], rate_hz: int) -> float:
    return sum(len(samples) for _, samples in heard) / rate_hz
